namespace Puna.Text;

/// <summary>
/// Turns ids into text one at a time. What <see cref="Push"/> returns is final: it never ends inside a UTF-8 character, and all results together with
/// <see cref="Flush"/> are exactly <see cref="Tokenizer.Decode(ReadOnlySpan{int}, bool)"/> of all ids.
/// </summary>
/// <remarks>Not thread-safe; one instance per sequence. Get one from <see cref="Tokenizer.CreateDecoder"/>.</remarks>
public abstract class IncrementalDecoder
{
    /// <summary>Takes the next id and returns the text that is now certain (often one word, sometimes nothing).</summary>
    /// <exception cref="Tensors.PunaException">The id is outside the vocabulary.</exception>
    public abstract string Push(int id);

    /// <summary>The text still held back, incomplete characters as U+FFFD; afterwards the decoder starts anew.</summary>
    public abstract string Flush();

    /// <summary>
    /// Takes ids whose text the caller already has (the prompt), so that what follows continues them: a first word keeps its space.
    /// </summary>
    public void Prime(ReadOnlySpan<int> ids)
    {
        foreach (int id in ids)
        {
            Push(id);
        }
    }
}
