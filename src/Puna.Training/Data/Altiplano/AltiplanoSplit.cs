namespace Puna.Training.Data.Altiplano;

/// <summary>
/// Divides indices into a part to train on and a part held out: every twentieth index is held out, of stories, chats and pictures alike. A chat about a story uses the story of its own
/// index, so no held-out story comes into training through a chat.
/// </summary>
public static class AltiplanoSplit
{
    private const int Every = 20;

    /// <summary>The part that an index belongs to.</summary>
    public static SplitPart Of(long index)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        return index % Every == Every - 1 ? SplitPart.Test : SplitPart.Train;
    }

    /// <summary>The index of the <paramref name="n"/>th member (from 0) of a part.</summary>
    public static long Index(SplitPart part, long n)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(n);
        return part == SplitPart.Test ? checked((n * Every) + Every - 1) : checked(n + (n / (Every - 1)));
    }
}
