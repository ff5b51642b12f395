using System.Globalization;

namespace Puna.Formats.Gguf;

/// <summary>Names of the files of a split checkpoint: <c>prefix-00001-of-00003.gguf</c>.</summary>
internal static class GgufSplitName
{
    private const string Extension = ".gguf";
    private const string Middle = "-of-";
    private const int Digits = 5;
    private const int SuffixLength = 1 + Digits + 4 + Digits + 5;

    /// <summary>The path of part <paramref name="number"/> (from 1) of <paramref name="count"/>.</summary>
    public static string Format(string prefix, int number, int count) =>
        string.Create(CultureInfo.InvariantCulture, $"{prefix}-{number:D5}{Middle}{count:D5}{Extension}");

    /// <summary>Takes a path apart; false where it is not of this form.</summary>
    public static bool TryParse(string path, out string prefix, out int number, out int count)
    {
        prefix = string.Empty;
        number = count = 0;
        if (path.Length <= SuffixLength || !path.EndsWith(Extension, StringComparison.OrdinalIgnoreCase))
        {
            return false;
        }

        ReadOnlySpan<char> suffix = path.AsSpan(path.Length - SuffixLength);
        prefix = path[..^SuffixLength];
        return suffix[0] == '-'
            && int.TryParse(suffix.Slice(1, Digits), NumberStyles.None, CultureInfo.InvariantCulture, out number)
            && suffix.Slice(1 + Digits, Middle.Length).SequenceEqual(Middle)
            && int.TryParse(suffix.Slice(1 + Digits + Middle.Length, Digits), NumberStyles.None, CultureInfo.InvariantCulture, out count);
    }
}
