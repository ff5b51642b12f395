namespace Puna.Text.SentencePieces;

/// <summary>What pieces say in plain text.</summary>
internal static class PieceText
{
    /// <summary>The bytes with a space for every ▁.</summary>
    public static byte[] WithSpaces(ReadOnlySpan<byte> piece)
    {
        byte[] result = new byte[piece.Length];
        int length = 0;
        for (int at = 0; at < piece.Length; length++)
        {
            bool mark = piece[at..].StartsWith("▁"u8);
            result[length] = mark ? (byte)' ' : piece[at];
            at += mark ? 3 : 1;
        }

        return length == result.Length ? result : result[..length];
    }
}
