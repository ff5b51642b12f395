using System.Buffers;
using System.Text;
using Puna.Tensors;
using Puna.Text;

namespace Puna.Runtime.Constraints;

/// <summary>The tokens of a vocabulary arranged by their bytes, made once and shared by all constraints.</summary>
public sealed class VocabularyTrie
{
    // Longer tokens are not part of the printable slice.
    private const int LongestSliced = 256;

    private readonly byte[][] _bytes;
    private readonly int[] _endTokens;
    private readonly uint[][] _printable;

    private VocabularyTrie(byte[][] bytes, int[] endTokens)
    {
        _bytes = bytes;
        _endTokens = endTokens;
        Words = (bytes.Length + 31) / 32;
        var all = new List<int>();
        var rest = new List<int>();
        var lengths = new List<(int Token, int Length)>();
        for (int token = 0; token < bytes.Length; token++)
        {
            if (bytes[token].Length == 0)
            {
                continue;
            }

            all.Add(token);
            int length = PrintableLength(bytes[token]);
            if (length is > 0 and <= LongestSliced)
            {
                lengths.Add((token, length));
            }
            else
            {
                rest.Add(token);
            }
        }

        int longest = lengths.Count == 0 ? 0 : lengths.Max(l => l.Length);
        _printable = new uint[longest + 1][];
        _printable[0] = new uint[Words];
        lengths.Sort((a, b) => a.Length.CompareTo(b.Length));
        int at = 0;
        for (int length = 1; length <= longest; length++)
        {
            // Lengths that no token has share the array of the one before.
            uint[] bits = _printable[length - 1];
            if (at < lengths.Count && lengths[at].Length == length)
            {
                bits = (uint[])bits.Clone();
                for (; at < lengths.Count && lengths[at].Length == length; at++)
                {
                    bits[lengths[at].Token >> 5] |= 1u << (lengths[at].Token & 31);
                }
            }

            _printable[length] = bits;
        }

        All = new TokenTree(bytes, all);
        Rest = new TokenTree(bytes, rest);
    }

    /// <summary>One more than the greatest token.</summary>
    public int VocabularySize => _bytes.Length;

    /// <summary>Length of a mask in 32-bit words.</summary>
    public int Words { get; }

    /// <summary>The tokens that end a text: allowed where a constraint is fulfilled.</summary>
    public ReadOnlySpan<int> EndTokens => _endTokens;

    /// <summary>All tokens that stand for text.</summary>
    internal TokenTree All { get; }

    /// <summary>Those that are not wholly of printable characters other than quote and backslash.</summary>
    internal TokenTree Rest { get; }

    /// <summary>The text of a token; empty for special tokens, which no constraint allows.</summary>
    public ReadOnlySpan<byte> TokenBytes(int token) => _bytes[token];

    /// <summary>Whether the token ends a text.</summary>
    public bool IsEnd(int token) => Array.IndexOf(_endTokens, token) >= 0;

    /// <summary>Tokens of printable characters only, of at most so many code points.</summary>
    internal uint[] Printable(int codePoints) => _printable[Math.Min(codePoints, _printable.Length - 1)];

    /// <summary>Arranges the vocabulary of a tokenizer. Its stop tokens end a text.</summary>
    public static VocabularyTrie Create(Tokenizer tokenizer)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        byte[][] bytes = new byte[tokenizer.VocabularySize][];
        for (int token = 0; token < bytes.Length; token++)
        {
            bytes[token] = tokenizer.IsSpecial(token) ? [] : tokenizer.TokenBytes(token).ToArray();
        }

        return new(bytes, [.. tokenizer.StopIds.Where(id => id >= 0 && id < bytes.Length).Distinct()]);
    }

    /// <summary>Arranges tokens given by their bytes. Empty ones stand for special tokens.</summary>
    public static VocabularyTrie Create(IReadOnlyList<byte[]> tokens, IReadOnlyList<int> endTokens)
    {
        ArgumentNullException.ThrowIfNull(tokens);
        ArgumentNullException.ThrowIfNull(endTokens);
        foreach (int token in endTokens)
        {
            if (token < 0 || token >= tokens.Count)
            {
                throw new PunaException($"end token: expected less than {tokens.Count}, got {token} (vocabulary of a constraint)");
            }
        }

        byte[][] bytes = [.. tokens.Select((token, i) => endTokens.Contains(i) ? [] : (byte[])token.Clone())];
        return new(bytes, [.. endTokens.Distinct()]);
    }

    private static int PrintableLength(byte[] bytes)
    {
        int count = 0;
        for (int i = 0; i < bytes.Length;)
        {
            if (Rune.DecodeFromUtf8(bytes.AsSpan(i), out Rune rune, out int used) != OperationStatus.Done || rune.Value < 0x20 || rune.Value is '"' or '\\')
            {
                return 0;
            }

            i += used;
            count++;
        }

        return count;
    }
}
