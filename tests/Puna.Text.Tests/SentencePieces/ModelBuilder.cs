using System.Text;
using Puna.Text.Conversion;
using Puna.Text.SentencePieces;

namespace Puna.Text.Tests.SentencePieces;

/// <summary>Small SentencePiece models written by hand.</summary>
internal static class ModelBuilder
{
    /// <summary>A model of <c>&lt;unk&gt;</c>, <c>&lt;s&gt;</c>, <c>&lt;/s&gt;</c> and pieces with falling scores; <c>u:</c> marks a user-defined and <c>-:</c> an unused one.</summary>
    public static SentencePieceModel Model(bool bytes, params string[] pieces)
    {
        var model = new SentencePieceModel { ModelType = SentencePieceModel.BytePairEncoding, ByteFallback = bytes, RemoveExtraWhitespaces = false, NormalizerName = "identity" };
        model.Add("<unk>"u8.ToArray(), 0, PieceType.Unknown);
        model.Add("<s>"u8.ToArray(), 0, PieceType.Control);
        model.Add("</s>"u8.ToArray(), 0, PieceType.Control);
        for (int i = 0; i < 256 && bytes; i++)
        {
            model.Add(Encoding.ASCII.GetBytes($"<0x{i:X2}>"), 0, PieceType.Byte);
        }

        foreach (string piece in pieces)
        {
            PieceType type = piece.StartsWith("u:", StringComparison.Ordinal) ? PieceType.UserDefined : piece.StartsWith("-:", StringComparison.Ordinal) ? PieceType.Unused : PieceType.Normal;
            model.Add(Encoding.UTF8.GetBytes(type == PieceType.Normal ? piece : piece[2..]), -model.Pieces.Count, type);
        }

        return model;
    }

    /// <summary>The tokenizer of a model, through the bytes of a file.</summary>
    public static SentencePieceTokenizer Tokenizer(SentencePieceModel model) => SentencePieceTokenizer.Read(SentencePieceWriter.Write(model), "hand-made");

    /// <summary>Pieces of a text.</summary>
    public static string Pieces(Tokenizer tokenizer, string text) => string.Join(' ', tokenizer.Encode(text).Select(tokenizer.Piece));
}
