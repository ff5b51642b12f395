namespace Puna.Text.Training;

/// <summary>How a kind of tokenizer cuts text into words, across which nothing is merged. Stateless and thread-safe.</summary>
internal abstract class WordSplitter
{
    /// <summary>The last place where a text may be cut without changing its words.</summary>
    /// <param name="text">Well-formed UTF-8; more of the text follows.</param>
    /// <param name="from">Only places at or behind this are new; may be inside a character.</param>
    /// <returns>How many bytes stand before the place, or a number not above 0 where there is none.</returns>
    public abstract int Cut(ReadOnlySpan<byte> text, int from);

    /// <summary>Whether what follows such a part counts as a text of its own.</summary>
    public abstract bool CutBegins(ReadOnlySpan<byte> part);

    /// <summary>Counts the words of a part.</summary>
    /// <param name="bytes">The block; may be changed.</param>
    /// <param name="start">Where the part starts; the byte before belongs to it and is free.</param>
    /// <param name="end">Where it ends.</param>
    /// <param name="begins">Whether a text starts here.</param>
    /// <param name="words">Receives the words.</param>
    public abstract void Count(byte[] bytes, int start, int end, bool begins, WordTable words);
}
