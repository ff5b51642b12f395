using Puna.Text.Vocabularies;

namespace Puna.Text.Training;

/// <summary>
/// Byte-level merging (spec training.md 2.1): everything may be merged; of pairs that occur equally often the one whose left part came first into the vocabulary, then whose
/// right part did. Bytes come in the order of GPT-2's alphabet. A token made a second time, of other parts, is merged under its old number and does not count.
/// </summary>
internal sealed class ByteRules : MergeRules
{
    private readonly Dictionary<string, int> _ids = new(StringComparer.Ordinal);
    private readonly List<byte[]> _tokens = [];
    private readonly int _longest;

    /// <summary>Creates the rules with the 256 bytes as symbols.</summary>
    /// <param name="longest">Most bytes of a token; 0 for any number.</param>
    public ByteRules(int longest = 0)
    {
        _longest = longest > 0 ? longest : int.MaxValue;
        byte[] order = new byte[256];
        for (int i = 0; i < 256; i++)
        {
            order[i] = (byte)i;
        }

        Array.Sort(order, static (a, b) => ByteAlphabet.Character(a) - ByteAlphabet.Character(b));
        foreach (byte value in order)
        {
            Symbols[value] = _tokens.Count;
            Add([value]);
        }
    }

    /// <summary>The symbol of each byte.</summary>
    public int[] Symbols { get; } = new int[256];

    /// <summary>All tokens, by number.</summary>
    public IReadOnlyList<byte[]> Tokens => _tokens;

    /// <inheritdoc/>
    public override bool Allows(int left, int right) => (long)_tokens[left].Length + _tokens[right].Length <= _longest;

    /// <inheritdoc/>
    public override ulong Key(int left, int right) => ((ulong)(uint)left << 32) | (uint)right;

    /// <inheritdoc/>
    public override int Compare((int Left, int Right) first, (int Left, int Right) second) => 0;

    /// <inheritdoc/>
    public override int Join(int left, int right)
    {
        byte[] token = [.. _tokens[left], .. _tokens[right]];
        return _ids.TryGetValue(ByteAlphabet.FromBytes(token), out int id) ? id : Add(token);
    }

    private int Add(byte[] token)
    {
        _ids.Add(ByteAlphabet.FromBytes(token), _tokens.Count);
        _tokens.Add(token);
        return _tokens.Count - 1;
    }
}
