namespace Puna.Text.Merging;

/// <summary>Says which adjacent symbols may be joined, and in which order; a struct, so that the merge loop is compiled for each rule.</summary>
internal interface IMergeRule
{
    /// <summary>
    /// The rank of joining two adjacent symbols (least first) and the id of what they become; <see cref="BpeMerger.Never"/> where they are never joined.
    /// </summary>
    /// <param name="left">Id of the left symbol, negative where it is no token.</param>
    /// <param name="right">Id of the right symbol, negative where it is no token.</param>
    /// <param name="joined">The bytes of both.</param>
    /// <param name="leftLength">How many of them belong to the left symbol.</param>
    /// <param name="merged">Id of the joined symbol.</param>
    int Rank(int left, int right, ReadOnlySpan<byte> joined, int leftLength, out int merged);
}
