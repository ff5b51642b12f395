using System.Runtime.CompilerServices;
using System.Text;

namespace Puna.Text.Vocabularies;

/// <summary>
/// GPT-2's alphabet, in which byte-level vocabularies are written: bytes 0x21-0x7E, 0xA1-0xAC and 0xAE-0xFF stand for the characters with their numbers, the other 68
/// for U+0100 onwards in byte order (spec llama1-3.md 5.3).
/// </summary>
internal static class ByteAlphabet
{
    private static readonly char[] Characters = new char[256];
    private static readonly short[] Bytes = Tables();

    /// <summary>The character of a byte.</summary>
    public static char Character(byte value) => Characters[value];

    /// <summary>The bytes a token stands for.</summary>
    /// <param name="token">UTF-8 in the alphabet.</param>
    /// <param name="bytes">Receives the bytes; as long as <paramref name="token"/> is always enough.</param>
    /// <returns>How many bytes, or -1 where a character is not of the alphabet.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static int ToBytes(ReadOnlySpan<byte> token, Span<byte> bytes)
    {
        short[] table = Bytes;
        int length = 0;
        for (int i = 0; i < token.Length; i++)
        {
            int scalar = token[i];
            if (scalar >= 0x80)
            {
                // The alphabet ends at U+0143: two bytes at most.
                if (scalar is < 0xC2 or > 0xC5 || i + 1 == token.Length)
                {
                    return -1;
                }

                scalar = ((scalar & 0x1F) << 6) | (token[++i] & 0x3F);
            }

            int value = scalar < table.Length ? table[scalar] : -1;
            if (value < 0)
            {
                return -1;
            }

            bytes[length++] = (byte)value;
        }

        return length;
    }

    /// <summary>The token that stands for some bytes.</summary>
    public static string FromBytes(ReadOnlySpan<byte> bytes)
    {
        var text = new StringBuilder(bytes.Length);
        foreach (byte b in bytes)
        {
            text.Append(Characters[b]);
        }

        return text.ToString();
    }

    private static short[] Tables()
    {
        short[] bytes = new short[0x144];
        Array.Fill(bytes, (short)-1);
        int next = 0x100;
        for (int i = 0; i < 256; i++)
        {
            bool printable = i is (>= 0x21 and <= 0x7E) or (>= 0xA1 and <= 0xAC) or >= 0xAE;
            Characters[i] = (char)(printable ? i : next++);
            bytes[Characters[i]] = (short)i;
        }

        return bytes;
    }
}
