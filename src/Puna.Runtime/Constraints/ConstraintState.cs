namespace Puna.Runtime.Constraints;

/// <summary>Where a text stands in its constraint. Belongs to one generation, and to one thread at a time.</summary>
public abstract class ConstraintState
{
    /// <summary>Whether the text may end here.</summary>
    public abstract bool IsAccepting { get; }

    /// <summary>Whether the text must end here: nothing may follow.</summary>
    public abstract bool IsFinished { get; }

    /// <summary>Says which tokens may follow. Tokens that end a text are among them exactly where <see cref="IsAccepting"/>; other special tokens never are.</summary>
    /// <param name="mask">Overwritten: bit <c>i % 32</c> of word <c>i / 32</c> is set where token <c>i</c> may follow; as many words as the vocabulary needs.</param>
    public abstract void FillMask(Span<uint> mask);

    /// <summary>Takes the next token.</summary>
    /// <param name="token">Its id.</param>
    /// <returns>False where it may not follow; the state is as before then.</returns>
    public abstract bool TryAccept(int token);

    /// <summary>A state of its own that stands at the same place.</summary>
    public abstract ConstraintState Clone();
}
