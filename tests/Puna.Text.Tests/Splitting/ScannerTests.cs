using System.Text;
using Puna.Text.Splitting;
using Puna.Text.Splitting.Patterns;

namespace Puna.Text.Tests.Splitting;

/// <summary>Hand-written scanners against the patterns they stand for, run by the pattern engine, and both against pieces worked out with Python's regex.</summary>
public class ScannerTests
{
    // Characters of every class the patterns tell apart, ASCII and not, one and several bytes, upper, lower, title, modifier and other letters, marks, numbers
    // of three kinds, spaces of several kinds, quotes with contraction letters, symbols, unassigned.
    private static readonly string[] Alphabet =
    [
        "a", "b", "s", "t", "r", "e", "v", "m", "l", "d", "A", "S", "T", "R", "E", "V", "L", "D", "M", "'", "'", "'s", "'RE", "'ſ", "ſ", "K", "é", "É", "ǅ", "ʰ", "ª", "中", "ا",
        "\U0001D400", "\U00010428", "\U00020000", "\u0301", "\u0903", "\u20DD", "0", "1", "٣", "Ⅳ", "½", "\U0001D7CE", " ", " ", "  ", "\t", "\n", "\r", "\r\n", "\u00A0", "\u3000",
        "\u0085", "\u001C", "\u200B", "/", "!", ".", "_", "\u2014", "🦙", "\u0378", "\U000E0001",
    ];

    [Theory]
    [InlineData(KnownPatterns.Llama3)]
    [InlineData(KnownPatterns.Llama4)]
    [InlineData(KnownPatterns.Gpt2)]
    public void Scanner_cuts_as_the_pattern_engine_does(string pattern)
    {
        PieceScanner scanner = KnownPatterns.Scanner(pattern)!;
        var step = new SplitStep.ByPattern(new SplitPattern(pattern), SplitBehavior.Isolated, false);
        var random = new Random(20240418);
        for (int i = 0; i < 20_000; i++)
        {
            var text = new StringBuilder();
            for (int n = random.Next(1, 12); n > 0; n--)
            {
                text.Append(Alphabet[random.Next(Alphabet.Length)]);
            }

            byte[] utf8 = Encoding.UTF8.GetBytes(text.ToString());
            Assert.Equal(Pieces(utf8, new TextSplitter([step]).Split(utf8)), Pieces(utf8, new TextSplitter([new SplitStep.ByScanner(scanner)]).Split(utf8)));
        }
    }

    private static List<string> Pieces(byte[] text, List<(int Start, int End)> parts) => [.. parts.Select(p => Encoding.UTF8.GetString(text[p.Start..p.End]))];
}
