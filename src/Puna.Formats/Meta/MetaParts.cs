using System.Globalization;
using Puna.Tensors;

namespace Puna.Formats.Meta;

/// <summary>The files <c>consolidated.NN.pth</c> of a folder (spec llama1-3.md 3.1).</summary>
internal static class MetaParts
{
    private const string Prefix = "consolidated.";
    private const string Suffix = ".pth";
    private const string Single = Prefix + "pth";

    /// <summary>The file name of part <paramref name="index"/>.</summary>
    public static string Name(int index) => string.Create(CultureInfo.InvariantCulture, $"{Prefix}{index:00}{Suffix}");

    /// <summary>Path of another part beside <paramref name="path"/>.</summary>
    public static string Sibling(string path, int index) => Path.Combine(Path.GetDirectoryName(path) ?? string.Empty, Name(index));

    /// <summary>Whether the file name is that of a numbered part, <c>consolidated.00.pth</c>.</summary>
    public static bool IsPart(string path) => Index(Path.GetFileName(path)) >= 0;

    /// <summary>Whether there is a checkpoint of this kind in the folder.</summary>
    public static bool Any(string folder) => Numbered(folder).Count > 0 || File.Exists(Path.Combine(folder, Single));

    /// <summary>All parts in order: the numbered ones, or else <c>consolidated.pth</c>.</summary>
    /// <exception cref="PunaException">There is none, or a number is missing.</exception>
    public static IReadOnlyList<string> Find(string folder)
    {
        SortedSet<int> numbers = Numbered(folder);
        if (numbers.Count == 0)
        {
            string single = Path.Combine(folder, Single);
            return File.Exists(single) ? [single] : throw new PunaException($"folder {folder}: expected {Name(0)} (Meta layout), found none");
        }

        for (int i = 0; i <= numbers.Max; i++)
        {
            if (!numbers.Contains(i))
            {
                string got = $"expected parts {Name(0)} to {Name(numbers.Max)}, got {numbers.Count} of {numbers.Max + 1}";
                throw new FileFormatException(Path.Combine(folder, Name(i)), $"checkpoint: {got}: this one is missing");
            }
        }

        return [.. numbers.Select(x => Path.Combine(folder, Name(x)))];
    }

    /// <summary>The numbers of the parts in a folder.</summary>
    public static SortedSet<int> Numbered(string folder)
    {
        try
        {
            return [.. Directory.EnumerateFiles(folder).Select(x => Index(Path.GetFileName(x))).Where(x => x >= 0)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new PunaException($"folder {folder}: cannot be read: {e.Message}", e);
        }
    }

    private static int Index(string name) =>
        name.Length == Name(0).Length && name.StartsWith(Prefix, StringComparison.Ordinal) && name.EndsWith(Suffix, StringComparison.Ordinal)
        && int.TryParse(name.AsSpan(Prefix.Length, 2), NumberStyles.None, CultureInfo.InvariantCulture, out int index)
            ? index
            : -1;
}
