using System.Text;

namespace Puna.Training.Data;

/// <summary>What is done to a text before anything looks at it. Each step may be left out.</summary>
/// <param name="Nfc">Unicode normalization form C.</param>
/// <param name="LineEnds">CR LF, CR, NEL, U+2028 and U+2029 become LF.</param>
/// <param name="Controls">Control characters other than tab and LF (and CR, where line ends are left alone) and the byte order mark go away.</param>
/// <param name="TrailingSpaces">Spaces and tabs at the ends of lines go away, and empty lines at the beginning and end of the text.</param>
public sealed record TextNormalization(bool Nfc = true, bool LineEnds = true, bool Controls = true, bool TrailingSpaces = true)
{
    /// <summary>The normalised text. Doing it twice is doing it once.</summary>
    public string Apply(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (LineEnds || Controls)
        {
            text = Characters(text);
        }

        if (Nfc)
        {
            text = Composer.Compose(text);
        }

        return TrailingSpaces ? Lines(text) : text;
    }

    private string Characters(string text)
    {
        StringBuilder? changed = null;
        for (int i = 0; i < text.Length; i++)
        {
            char c = text[i];
            bool lineEnd = c is '\r' or '\u0085' or '\u2028' or '\u2029';
            char now = lineEnd && LineEnds ? '\n' : c;
            bool drop = (Controls && (c == '\uFEFF' || (char.IsControl(c) && c is not ('\n' or '\t') && !lineEnd)))
                || (Controls && !LineEnds && c == '\u0085')
                || (LineEnds && c == '\r' && i + 1 < text.Length && text[i + 1] == '\n');
            if (changed is null && (drop || now != c))
            {
                changed = new StringBuilder(text, 0, i, text.Length);
            }

            if (!drop)
            {
                changed?.Append(now);
            }
        }

        return changed?.ToString() ?? text;
    }

    private static string Lines(string text)
    {
        var result = new StringBuilder(text.Length);
        int kept = 0;
        foreach (Range range in text.AsSpan().Split('\n'))
        {
            ReadOnlySpan<char> line = text.AsSpan()[range].TrimEnd(" \t");
            if (line.Length > 0)
            {
                // Empty lines are written only once something follows them, and none before the first.
                result.Append('\n', result.Length == 0 ? 0 : kept);
                result.Append(line);
                kept = 0;
            }

            kept++;
        }

        return result.Length == text.Length ? text : result.ToString();
    }
}
