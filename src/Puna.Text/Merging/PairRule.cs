using System.Runtime.CompilerServices;
using Puna.Text.Vocabularies;

namespace Puna.Text.Merging;

/// <summary>The rule of <c>tokenizer.json</c> and GGUF byte-level vocabularies: two symbols join where their pair is in the list of merges, first in the list first.</summary>
internal readonly struct PairRule(PairTable merges) : IMergeRule
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Rank(int left, int right, ReadOnlySpan<byte> joined, int leftLength, out int merged)
    {
        int rank = merges.Find(left, right);
        merged = rank >= 0 ? merges.Merged(rank) : -1;
        return rank >= 0 ? rank : BpeMerger.Never;
    }
}
