using System.Runtime.CompilerServices;
using Puna.Text.Vocabularies;

namespace Puna.Text.Merging;

/// <summary>SentencePiece's rule: two symbols join where their text together is a piece, best score first (spec llama1-3.md 5.1 step 3).</summary>
/// <param name="table">Pieces that merging may make.</param>
/// <param name="order">Rank of each piece: 0 for the best score, equal for equal scores.</param>
internal readonly struct ScoreRule(TokenTable table, int[] order) : IMergeRule
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Rank(int left, int right, ReadOnlySpan<byte> joined, int leftLength, out int merged)
    {
        merged = joined.Length <= table.LongestIndexed ? table.Find(joined) : -1;
        return merged >= 0 ? order[merged] : BpeMerger.Never;
    }

    /// <summary>Ranks by descending score.</summary>
    public static int[] Order(IReadOnlyList<float> scores)
    {
        float[] keys = [.. scores];
        int[] ids = new int[keys.Length];
        for (int i = 0; i < ids.Length; i++)
        {
            ids[i] = i;
        }

        Array.Sort(keys, ids);
        int[] order = new int[keys.Length];
        int rank = 0;
        for (int i = keys.Length - 1; i >= 0; i--)
        {
            rank += i + 1 < keys.Length && keys[i] != keys[i + 1] ? 1 : 0;
            order[ids[i]] = rank;
        }

        return order;
    }
}
