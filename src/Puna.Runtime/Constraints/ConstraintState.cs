namespace Puna.Runtime.Constraints;

/// <summary>How far one request has come in its constraint. Not safe for several threads; <see cref="Clone"/> gives each continuation its own.</summary>
public abstract class ConstraintState
{
    /// <summary>Whether the text so far is complete: exactly then end-of-text tokens are allowed.</summary>
    public abstract bool IsAccepting { get; }

    /// <summary>Whether nothing but an end-of-text token may follow.</summary>
    public abstract bool IsFinished { get; }

    /// <summary>Writes which tokens may follow: bit <c>i % 32</c> of word <c>i / 32</c> is set where token i is allowed.</summary>
    /// <param name="mask">Shape [(vocabulary + 31) / 32]; words beyond the vocabulary are cleared.</param>
    public abstract void FillMask(Span<uint> mask);

    /// <summary>Appends a token. Returns false, and leaves the state as it was, where the token is not allowed.</summary>
    public abstract bool TryAccept(int token);

    /// <summary>An independent copy, for several continuations of the same text and for speculation.</summary>
    public abstract ConstraintState Clone();
}
