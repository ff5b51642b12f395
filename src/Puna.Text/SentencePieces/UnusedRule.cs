using Puna.Text.Merging;

namespace Puna.Text.SentencePieces;

/// <summary>
/// As <see cref="ScoreRule"/>, and notes for each unused piece what it was made of when it was last considered, so that it can be split again
/// (spec llama1-3.md 5.1 step 3).
/// </summary>
/// <param name="rule">The ranks.</param>
/// <param name="types">Type of each piece.</param>
/// <param name="leftLengths">Receives for the id of an unused piece the number of bytes of its left part.</param>
internal readonly struct UnusedRule(ScoreRule rule, IReadOnlyList<PieceType> types, Dictionary<int, int> leftLengths) : IMergeRule
{
    /// <inheritdoc/>
    public int Rank(int left, int right, ReadOnlySpan<byte> joined, int leftLength, out int merged)
    {
        int rank = rule.Rank(left, right, joined, leftLength, out merged);
        if (merged >= 0 && types[merged] == PieceType.Unused)
        {
            leftLengths[merged] = leftLength;
        }

        return rank;
    }
}
