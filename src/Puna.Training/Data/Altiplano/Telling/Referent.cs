namespace Puna.Training.Data.Altiplano;

/// <summary>Something a story can speak of. It writes itself in the form a phrasing asks for, and remembers when it was last spoken of.</summary>
internal abstract class Referent
{
    /// <summary>Number of the sentence that spoke of it last, or a number far below the first one.</summary>
    public int LastSentence { get; set; } = -100;

    /// <summary>Writes it.</summary>
    /// <param name="narrator">Who tells.</param>
    /// <param name="form">What stands after the dot in a phrasing, or nothing.</param>
    public abstract void Write(Narrator narrator, ReadOnlySpan<char> form);

    /// <summary>A form that no phrasing may ask for: a mistake in a table.</summary>
    protected InvalidOperationException Unknown(ReadOnlySpan<char> form) => new($"phrasing form {form}: {GetType().Name} has no such form");
}
