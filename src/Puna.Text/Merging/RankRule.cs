using System.Runtime.CompilerServices;
using Puna.Text.Vocabularies;

namespace Puna.Text.Merging;

/// <summary>tiktoken's rule: two symbols join where their bytes together are a token, and its id is the rank (spec llama1-3.md 5.3).</summary>
internal readonly struct RankRule(TokenTable table) : IMergeRule
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Rank(int left, int right, ReadOnlySpan<byte> joined, int leftLength, out int merged)
    {
        merged = table.FindMerged(joined);
        return merged >= 0 ? merged : BpeMerger.Never;
    }
}
