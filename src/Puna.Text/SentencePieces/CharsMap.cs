using System.Buffers.Binary;
using System.Text.Unicode;
using Puna.Tensors;

namespace Puna.Text.SentencePieces;

/// <summary>
/// <c>precompiled_charsmap</c>: replacements of character sequences, found with a double-array trie over UTF-8 (spec llama1-3.md 5.5). Every step
/// is checked against the size of the trie, because the numbers come from a file.
/// </summary>
internal sealed class CharsMap
{
    /// <summary>Longest sequence looked for, so that a trie that leads in circles costs little; sequences in use have less than 20 bytes.</summary>
    private const int LongestSequence = 256;

    private readonly uint[] _units;
    private readonly byte[] _replacements;

    /// <summary>Reads the map.</summary>
    /// <exception cref="FileFormatException">The sizes do not fit.</exception>
    public CharsMap(ReadOnlySpan<byte> map, string file)
    {
        uint size = map.Length >= 4 ? BinaryPrimitives.ReadUInt32LittleEndian(map) : 0;
        if (size == 0 || size % 4 != 0 || size > (uint)(map.Length - 4))
        {
            throw new FileFormatException(file, $"trie of the character map: expected a multiple of 4 up to {map.Length - 4} bytes, got {size}");
        }

        _units = new uint[size / 4];
        for (int i = 0; i < _units.Length; i++)
        {
            _units[i] = BinaryPrimitives.ReadUInt32LittleEndian(map[(4 + (i * 4))..]);
        }

        _replacements = map[(4 + (int)size)..].ToArray();
        if (!Utf8.IsValid(_replacements))
        {
            throw new FileFormatException(file, "replacements of the character map: expected UTF-8, got other bytes");
        }
    }

    /// <summary>The longest sequence at the start of <paramref name="text"/> that is replaced: its length, 0 where there is none.</summary>
    public int Longest(ReadOnlySpan<byte> text, out ReadOnlySpan<byte> replacement) => Walk(text, isFirst: false, out replacement);

    /// <summary>What the shortest sequence at the start of <paramref name="text"/> becomes, if any is replaced.</summary>
    public bool TryFirst(ReadOnlySpan<byte> text, out ReadOnlySpan<byte> replacement) => Walk(text, isFirst: true, out replacement) > 0;

    private int Walk(ReadOnlySpan<byte> text, bool isFirst, out ReadOnlySpan<byte> replacement)
    {
        int length = 0;
        replacement = default;
        uint node = Jump(_units[0]);
        int most = Math.Min(text.Length, LongestSequence);
        for (int i = 0; i < most; i++)
        {
            node ^= text[i];
            if (node >= (uint)_units.Length)
            {
                break;
            }

            uint unit = _units[node];
            if ((unit & 0x800000FF) != text[i])
            {
                break;
            }

            node ^= Jump(unit);
            if (node >= (uint)_units.Length)
            {
                break;
            }

            // A sequence ends and a replacement starts where a character does, whatever the trie says.
            if ((unit & 0x100) != 0 && (i + 1 == text.Length || !IsContinuation(text[i + 1])))
            {
                int start = (int)(_units[node] & 0x7FFFFFFF);
                ReadOnlySpan<byte> rest = start < _replacements.Length && !IsContinuation(_replacements[start]) ? _replacements.AsSpan(start) : default;
                int end = rest.IndexOf((byte)0);
                replacement = end < 0 ? rest : rest[..end];
                length = i + 1;
                if (isFirst)
                {
                    break;
                }
            }
        }

        return length;
    }

    private static bool IsContinuation(byte b) => (b & 0xC0) == 0x80;

    private static uint Jump(uint unit) => (unit >> 10) << (int)((unit & 0x200) >> 6);
}
