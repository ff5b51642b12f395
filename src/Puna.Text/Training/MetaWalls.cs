using System.Text;
using Puna.Text.Splitting;

namespace Puna.Text.Training;

/// <summary>
/// Turns the bytes of a SentencePiece word into characters, with walls where no piece may be: texts of meta pieces, and tabs, which the original keeps for such walls (Llama 2's
/// vocabulary has none). U+0000 is one too, and is left as it is because the original does not count it.
/// </summary>
internal sealed class MetaWalls
{
    private readonly byte[][]?[] _byFirst = new byte[256][][];

    /// <summary>Creates walls for the texts of these pieces.</summary>
    public MetaWalls(IEnumerable<string> pieces)
    {
        foreach (IGrouping<byte, byte[]> group in pieces.Select(Encoding.UTF8.GetBytes).GroupBy(static p => p[0]))
        {
            _byFirst[group.Key] = [.. group.OrderByDescending(static p => p.Length)];
        }
    }

    /// <summary>The characters of a word: Unicode scalars, ▁ for a space, -1 for a wall.</summary>
    /// <param name="word">Well-formed UTF-8.</param>
    /// <param name="scalars">Receives them; emptied first.</param>
    public void Spell(ReadOnlySpan<byte> word, List<int> scalars)
    {
        scalars.Clear();
        for (int at = 0; at < word.Length;)
        {
            int length = Meta(word[at..]);
            if (length > 0)
            {
                scalars.Add(SymbolText.Wall);
                at += length;
                continue;
            }

            int scalar = Utf8Text.Scalar(word, at, out length);
            scalars.Add(scalar switch { ' ' => PieceRules.SpaceMark, '\t' => SymbolText.Wall, _ => scalar });
            at += length;
        }
    }

    /// <summary>Bytes of the longest meta piece that the text starts with, or 0.</summary>
    private int Meta(ReadOnlySpan<byte> text)
    {
        foreach (byte[] piece in _byFirst[text[0]] ?? [])
        {
            if (text.StartsWith(piece))
            {
                return piece.Length;
            }
        }

        return 0;
    }
}
