using System.Text;

namespace Puna.Hub;

/// <summary>
/// Judges file names that come from a hub or a user before they become paths here. A name is a path relative to the repository with <c>/</c>
/// between its parts; it must mean the same file below the same folder on every operating system.
/// </summary>
internal static class SafePath
{
    /// <summary>Suffix of a download that is not complete.</summary>
    public const string PartialSuffix = ".partial";

    /// <summary>Suffix of the note beside it (<see cref="PartialFile"/>).</summary>
    public const string SidecarSuffix = ".partial.json";

    private const int LongestPath = 512;

    // 255 bytes is what common file systems take; the sidecar's suffix and a temporary one must still fit.
    private const int LongestPart = 220;

    /// <summary>Why a name could leave the model's folder or deceive whoever reads it, or null. A repository that lists such a name is hostile.</summary>
    public static string? Escape(string path)
    {
        if (path.Length == 0) return "it is empty";
        if (path.Length > LongestPath) return $"it is longer than {LongestPath} characters";
        for (int i = 0; i < path.Length; i++)
        {
            char c = path[i];
            if (char.IsControl(c) || c is '\u2028' or '\u2029') return "it has a control character";
            if (c is (>= '\u202a' and <= '\u202e') or (>= '\u2066' and <= '\u2069')) return "it has a character that reverses text";
            if (c == '\\') return "it has a backslash";
            if (char.IsHighSurrogate(c) && i + 1 < path.Length && char.IsLowSurrogate(path[i + 1])) i++;
            else if (char.IsSurrogate(c)) return "it is not valid Unicode";
        }

        if (path[0] == '/') return "it is absolute";
        if (path.Length >= 2 && path[1] == ':' && char.IsAsciiLetter(path[0])) return "it has a drive letter";
        foreach (Range range in path.AsSpan().Split('/'))
        {
            ReadOnlySpan<char> part = path.AsSpan(range);
            if (part.IsEmpty) return "it has an empty part";
            if (part is "." or "..") return "it has a . or .. part";
        }

        return null;
    }

    /// <summary>
    /// Why a name cannot be a file here: what <see cref="Escape"/> says, or that some operating system gives it another meaning; null when it is fine.
    /// </summary>
    public static string? Problem(string path)
    {
        if (Escape(path) is { } escape) return escape;
        if (path.AsSpan().IndexOfAny(":<>\"|?*") >= 0) return "it has one of the characters : < > \" | ? *";
        foreach (Range range in path.AsSpan().Split('/'))
        {
            ReadOnlySpan<char> part = path.AsSpan(range);
            if (part[0] == ' ' || part[^1] is ' ' or '.') return "a part of it begins or ends with a space or ends with a dot";
            if (IsDeviceName(part)) return "it is a device name on Windows";
            if (Encoding.UTF8.GetByteCount(part) > LongestPart) return $"a part of it is longer than {LongestPart} bytes";
            if (part.EndsWith(PartialSuffix, StringComparison.OrdinalIgnoreCase) || part.EndsWith(SidecarSuffix, StringComparison.OrdinalIgnoreCase))
            {
                return $"names that end with {PartialSuffix} are kept for unfinished downloads";
            }
        }

        return null;
    }

    /// <summary>Whether Windows takes a file name for a device whatever its extension: <c>CON</c>, <c>nul.txt</c>, <c>COM1</c>, ...</summary>
    public static bool IsDeviceName(ReadOnlySpan<char> part)
    {
        int dot = part.IndexOf('.');
        ReadOnlySpan<char> stem = (dot < 0 ? part : part[..dot]).TrimEnd(' ');
        if (stem.Length == 3)
        {
            return Is(stem, "CON") || Is(stem, "PRN") || Is(stem, "AUX") || Is(stem, "NUL");
        }

        // The superscript digits 1 to 3 count as digits there.
        return (stem.Length == 4 && (Is(stem[..3], "COM") || Is(stem[..3], "LPT")) && stem[3] is (>= '0' and <= '9') or '\u00b9' or '\u00b2' or '\u00b3')
            || Is(stem, "CONIN$") || Is(stem, "CONOUT$");
    }

    /// <summary>The local path of a name that <see cref="Problem"/> has found fine.</summary>
    public static string Combine(string folder, string path) => Path.Combine(folder, path.Replace('/', Path.DirectorySeparatorChar));

    private static bool Is(ReadOnlySpan<char> a, string b) => a.Equals(b, StringComparison.OrdinalIgnoreCase);
}
