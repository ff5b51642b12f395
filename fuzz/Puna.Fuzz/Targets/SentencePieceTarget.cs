using System.Text;
using Puna.Text;

namespace Puna.Fuzz.Targets;

/// <summary>A SentencePiece model file.</summary>
public sealed class SentencePieceTarget : IFuzzTarget
{
    private static readonly string[] _pieces = ["a", "b", "ab", "▁", "▁a", "▁▁", "▁ab", "<unk>", "<s>", "<0x41>", "<0xZZ>", "", "é", "中", "aa", "aaaa", "b▁a", "\0", "🦙"];

    /// <inheritdoc/>
    public string Name => "sentencepiece";

    /// <inheritdoc/>
    public IReadOnlyList<byte[]> Corpus { get; } =
    [
        [.. Base(), .. Piece("a", -1, 1), .. Piece("▁", -2, 1), .. Piece("aa", -3, 1), .. Piece("▁a", -4, 1), .. Settings(3, true, false)],
        [.. Base(), .. Piece("a", -1, 1), .. Piece("ab", -2, 5), .. Piece("b", -3, 1), .. Piece("u▁", -4, 4), .. Piece("▁", -4, 1), .. Settings(0, true, true)],
        [.. Base(), .. Enumerable.Range(0, 256).SelectMany(static b => Piece($"<0x{b:X2}>", 0, 6)), .. Piece("ab", -1, 1), .. Settings(1, false, false)],
        [.. Base(), .. Piece("a", -1, 1), .. Field(2, [0x18, 0x02]), .. Field(3, Field(2, [4, 0, 0, 0, 0, 0, 0, 0, (byte)'x', 0]))],
    ];

    /// <inheritdoc/>
    public void Run(byte[] input) => TokenizerUse.All(Puna.Text.SentencePieces.SentencePieceTokenizer.Read(input, "fuzz.model"));

    /// <inheritdoc/>
    public byte[] MutateStructure(FuzzRandom random, byte[] input)
    {
        var fields = new List<byte[]>();
        for (int at = 0; at + 2 <= input.Length && input[at + 1] < 0x80;)
        {
            int end = Math.Min(input.Length, at + 2 + input[at + 1]);
            fields.Add(input[at..end]);
            at = end;
        }

        for (int changes = random.Changes(5); changes > 0; changes--)
        {
            int index = random.Below(fields.Count);
            switch (random.Below(5))
            {
                case 0:
                    fields.RemoveAt(index);
                    break;
                case 1:
                    fields.Insert(index, fields[random.Below(fields.Count)]);
                    break;
                case 2:
                    fields[index] = Settings(random.Below(8), random.OneIn(2), random.OneIn(2));
                    break;
                default:
                    fields.Insert(index, Piece(random.Pick<string>(_pieces), random.Below(4) - 2, (int)random.Interesting() & 7));
                    break;
            }
        }

        return [.. fields.SelectMany(static f => f)];
    }

    private static byte[] Base() => [.. Piece("<unk>", 0, 2), .. Piece("<s>", 0, 3), .. Piece("</s>", 0, 3)];

    private static byte[] Piece(string text, float score, int type) => Field(1, [.. Field(1, Encoding.UTF8.GetBytes(text)), 0x15, .. BitConverter.GetBytes(score), 0x18, (byte)type]);

    /// <summary>Trainer and normaliser; <paramref name="flags"/> are the dummy prefix, extra spaces and byte pieces.</summary>
    private static byte[] Settings(int flags, bool escape, bool plain) =>
    [
        .. Field(2, plain ? [0x18, 0x02] : [0x18, 0x02, 0x98, 0x02, (byte)(escape ? 0 : 1)]),
        .. Field(3, [0x18, (byte)(flags & 1), 0x20, (byte)((flags >> 1) & 1), 0x28, (byte)(flags < 4 ? 1 : 0)]),
    ];

    private static byte[] Field(int number, byte[] content) => [(byte)((number << 3) | 2), (byte)content.Length, .. content];
}
