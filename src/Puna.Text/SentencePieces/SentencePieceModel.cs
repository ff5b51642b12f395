using System.Text;
using Puna.Tensors;

namespace Puna.Text.SentencePieces;

/// <summary>
/// What a SentencePiece model file (or a GGUF vocabulary of model <c>llama</c>) says: pieces with their scores and types, and the settings of the
/// normaliser. Defaults are those of absent fields in the file (spec llama1-3.md 5.1).
/// </summary>
internal sealed class SentencePieceModel
{
    /// <summary>Model type of the unigram model in the file; the default of an absent field.</summary>
    public const int Unigram = 1;

    /// <summary>Model type of byte pair encoding in the file.</summary>
    public const int BytePairEncoding = 2;

    /// <summary>1 unigram, 2 BPE, 3 words, 4 characters.</summary>
    public int ModelType { get; set; } = Unigram;

    /// <summary>Text of each piece, UTF-8.</summary>
    public List<byte[]> Pieces { get; } = [];

    /// <summary>Score of each piece; the greatest is merged first.</summary>
    public List<float> Scores { get; } = [];

    /// <summary>Type of each piece.</summary>
    public List<PieceType> Types { get; } = [];

    /// <summary>Whether unknown characters become byte pieces.</summary>
    public bool ByteFallback { get; set; }

    /// <summary>Whether the dummy space goes behind the text instead of before it.</summary>
    public bool SpaceAsSuffix { get; set; }

    /// <summary>Text of the unknown piece when decoding.</summary>
    public string UnknownSurface { get; set; } = " ⁇ ";

    /// <summary>Names of the pieces that play a part: unknown, beginning, end, padding.</summary>
    public string[] RoleNames { get; } = ["<unk>", "<s>", "</s>", "<pad>"];

    /// <summary>Name of the normaliser.</summary>
    public string NormalizerName { get; set; } = "";

    /// <summary>Replacements of character sequences, empty for none (spec llama1-3.md 5.5).</summary>
    public byte[] CharsMap { get; set; } = [];

    /// <summary>Whether a text starts with a space that it does not have.</summary>
    public bool AddDummyPrefix { get; set; } = true;

    /// <summary>Whether spaces at the ends vanish and runs of them become one.</summary>
    public bool RemoveExtraWhitespaces { get; set; } = true;

    /// <summary>Whether a space is written ▁ (U+2581).</summary>
    public bool EscapeWhitespaces { get; set; } = true;

    /// <summary>Adds a piece.</summary>
    public void Add(byte[] piece, float score, PieceType type)
    {
        Pieces.Add(piece);
        Scores.Add(score);
        Types.Add(type);
    }

    /// <summary>A copy that can be added to.</summary>
    public SentencePieceModel Copy()
    {
        var copy = new SentencePieceModel
        {
            ModelType = ModelType,
            ByteFallback = ByteFallback,
            SpaceAsSuffix = SpaceAsSuffix,
            UnknownSurface = UnknownSurface,
            NormalizerName = NormalizerName,
            CharsMap = CharsMap,
            AddDummyPrefix = AddDummyPrefix,
            RemoveExtraWhitespaces = RemoveExtraWhitespaces,
            EscapeWhitespaces = EscapeWhitespaces,
        };
        RoleNames.CopyTo(copy.RoleNames, 0);
        copy.Pieces.AddRange(Pieces);
        copy.Scores.AddRange(Scores);
        copy.Types.AddRange(Types);
        return copy;
    }

    /// <summary>The value of a byte piece <c>&lt;0x00&gt;</c> to <c>&lt;0xFF&gt;</c>, or -1.</summary>
    public static int ByteValue(ReadOnlySpan<byte> piece) =>
        piece.Length == 6 && piece.StartsWith("<0x"u8) && piece[5] == '>' && HexValue(piece[3]) is >= 0 and int high && HexValue(piece[4]) is >= 0 and int low
            ? (high << 4) | low
            : -1;

    /// <summary>Checks what every tokenizer relies on.</summary>
    /// <exception cref="FileFormatException">A piece is not UTF-8 or has no rank, a byte piece is none, there is no unknown piece, or more than one.</exception>
    public void Validate(string file)
    {
        int unknown = 0;
        for (int i = 0; i < Pieces.Count; i++)
        {
            if (!System.Text.Unicode.Utf8.IsValid(Pieces[i]))
            {
                throw new FileFormatException(file, $"piece {i}: expected UTF-8, got {Convert.ToHexString(Pieces[i].AsSpan(0, Math.Min(32, Pieces[i].Length)))}");
            }

            if (!float.IsFinite(Scores[i]))
            {
                throw new FileFormatException(file, $"score of piece {i}: expected a number, got {Scores[i]}");
            }

            if (Types[i] is < PieceType.Normal or > PieceType.Byte)
            {
                throw new FileFormatException(file, $"type of piece {i}: expected 1 to 6, got {(int)Types[i]}");
            }

            if (Types[i] == PieceType.Byte && ByteValue(Pieces[i]) < 0)
            {
                throw new FileFormatException(file, $"byte piece {i}: expected <0x00> to <0xFF>, got {Encoding.UTF8.GetString(Pieces[i])}");
            }

            unknown += Types[i] == PieceType.Unknown ? 1 : 0;
        }

        if (unknown != 1)
        {
            throw new FileFormatException(file, $"unknown pieces: expected 1, got {unknown}");
        }
    }

    private static int HexValue(byte digit) => digit switch
    {
        >= (byte)'0' and <= (byte)'9' => digit - '0',
        >= (byte)'A' and <= (byte)'F' => digit - 'A' + 10,
        >= (byte)'a' and <= (byte)'f' => digit - 'a' + 10,
        _ => -1,
    };
}
