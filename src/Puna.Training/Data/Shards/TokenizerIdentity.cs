using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Puna.Text;

namespace Puna.Training.Data;

/// <summary>
/// Tells whether ids mean the same: a SHA-256 over the kind of a tokenizer, every piece in the order of the ids, and which of them are special. It follows from the tokenizer, not from the file that
/// it came in.
/// </summary>
public static class TokenizerIdentity
{
    /// <summary>The identity of a tokenizer, 32 bytes.</summary>
    public static byte[] Of(Tokenizer tokenizer)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes($"puna tokenizer 1\n{tokenizer.Kind}\n{tokenizer.VocabularySize}\n"));
        Span<byte> head = stackalloc byte[5];
        for (int id = 0; id < tokenizer.VocabularySize; id++)
        {
            byte[] piece = Encoding.UTF8.GetBytes(tokenizer.Piece(id));
            BinaryPrimitives.WriteInt32LittleEndian(head, piece.Length);
            head[4] = tokenizer.IsSpecial(id) ? (byte)1 : (byte)0;
            hash.AppendData(head);
            hash.AppendData(piece);
        }

        return hash.GetHashAndReset();
    }

    /// <summary>The identity as lower-case hexadecimal digits.</summary>
    public static string HexOf(Tokenizer tokenizer) => Convert.ToHexStringLower(Of(tokenizer));
}
