using System.Buffers.Binary;
using System.Text;
using Puna.Text.SentencePieces;

namespace Puna.Text.Conversion;

/// <summary>Writes a SentencePiece <c>tokenizer.model</c> (protocol buffer; field numbers in spec llama1-3.md 5.1). Every setting is written, none left to its default.</summary>
internal static class SentencePieceWriter
{
    /// <summary>The bytes of the file.</summary>
    public static byte[] Write(SentencePieceModel model)
    {
        using var output = new MemoryStream();
        for (int i = 0; i < model.Pieces.Count; i++)
        {
            using var piece = new MemoryStream();
            Bytes(piece, 1, model.Pieces[i]);
            Float(piece, 2, model.Scores[i]);
            if (model.Types[i] != PieceType.Normal)
            {
                Integer(piece, 3, (long)model.Types[i]);
            }

            Bytes(output, 1, piece.ToArray());
        }

        Bytes(output, 2, Trainer(model));
        Bytes(output, 3, Normalizer(model));
        return output.ToArray();
    }

    private static byte[] Trainer(SentencePieceModel model)
    {
        using var trainer = new MemoryStream();
        Integer(trainer, 3, model.ModelType);
        Integer(trainer, 4, model.Pieces.Count);
        Integer(trainer, 35, model.ByteFallback ? 1 : 0);
        for (int role = 0; role < 4; role++)
        {
            byte[] name = Encoding.UTF8.GetBytes(model.RoleNames[role]);
            PieceType type = role == 0 ? PieceType.Unknown : PieceType.Control;
            int id = model.Pieces.FindIndex(p => p.AsSpan().SequenceEqual(name));
            Integer(trainer, 40 + role, id >= 0 && model.Types[id] == type ? id : -1);
            Bytes(trainer, 45 + role, name);
        }

        Bytes(trainer, 44, Encoding.UTF8.GetBytes(model.UnknownSurface));
        return trainer.ToArray();
    }

    private static byte[] Normalizer(SentencePieceModel model)
    {
        using var normalizer = new MemoryStream();
        Bytes(normalizer, 1, Encoding.UTF8.GetBytes(model.NormalizerName));
        Bytes(normalizer, 2, model.CharsMap);
        Integer(normalizer, 3, model.AddDummyPrefix ? 1 : 0);
        Integer(normalizer, 4, model.RemoveExtraWhitespaces ? 1 : 0);
        Integer(normalizer, 5, model.EscapeWhitespaces ? 1 : 0);
        return normalizer.ToArray();
    }

    private static void Integer(MemoryStream output, int field, long value)
    {
        Varint(output, (ulong)field << 3);
        Varint(output, (ulong)value);
    }

    private static void Bytes(MemoryStream output, int field, ReadOnlySpan<byte> value)
    {
        Varint(output, ((ulong)field << 3) | 2);
        Varint(output, (ulong)value.Length);
        output.Write(value);
    }

    private static void Float(MemoryStream output, int field, float value)
    {
        Varint(output, ((ulong)field << 3) | 5);
        Span<byte> bits = stackalloc byte[4];
        BinaryPrimitives.WriteSingleLittleEndian(bits, value);
        output.Write(bits);
    }

    private static void Varint(MemoryStream output, ulong value)
    {
        for (; value >= 0x80; value >>= 7)
        {
            output.WriteByte((byte)(value | 0x80));
        }

        output.WriteByte((byte)value);
    }
}
