using System.Text;

namespace Puna.Text;

/// <summary>
/// Turns ids into text one at a time. What <see cref="Push(int)"/> returns is final: it never ends inside a UTF-8 character, and all results together with
/// <see cref="Flush()"/> are exactly <see cref="Tokenizer.Decode(ReadOnlySpan{int}, bool)"/> of all ids.
/// </summary>
/// <remarks>Not thread-safe; one instance per sequence. Get one from <see cref="Tokenizer.CreateDecoder"/>.</remarks>
public abstract class IncrementalDecoder
{
    private readonly StringBuilder _text = new();

    private protected IncrementalDecoder()
    {
    }

    /// <summary>Takes the next id and returns the text that is now certain (often one word, sometimes nothing).</summary>
    /// <exception cref="Tensors.PunaException">The id is outside the vocabulary.</exception>
    public string Push(int id)
    {
        Push(id, _text);
        return Take();
    }

    /// <summary>The text still held back, incomplete characters as U+FFFD; afterwards the decoder starts anew.</summary>
    public string Flush()
    {
        Flush(_text);
        return Take();
    }

    /// <summary>Takes the next id and appends the text that is now certain.</summary>
    /// <exception cref="Tensors.PunaException">The id is outside the vocabulary.</exception>
    public abstract void Push(int id, StringBuilder text);

    /// <summary>Appends the text still held back, incomplete characters as U+FFFD; afterwards the decoder starts anew.</summary>
    public abstract void Flush(StringBuilder text);

    /// <summary>Takes ids whose text the caller already has (the prompt), so that what follows continues them: a first word keeps its space.</summary>
    /// <exception cref="Tensors.PunaException">An id is outside the vocabulary.</exception>
    public void Prime(ReadOnlySpan<int> ids)
    {
        foreach (int id in ids)
        {
            Push(id, _text);
            _text.Clear();
        }
    }

    private string Take()
    {
        if (_text.Length == 0)
        {
            return "";
        }

        string text = _text.ToString();
        _text.Clear();
        return text;
    }
}
