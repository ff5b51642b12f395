namespace Puna.Runtime.Constraints.Machines;

/// <summary>Reads text byte by byte, all readings at once. Every configuration it makes can still be completed.</summary>
internal abstract class ByteMachine
{
    public abstract void Start(List<Configuration> output);

    /// <summary>Adds what the byte leads to.</summary>
    /// <param name="from">The reading before.</param>
    /// <param name="b">The byte.</param>
    /// <param name="exact">Whether names are remembered in full: so for text that is accepted, not for looking ahead.</param>
    /// <param name="output">Receives the readings after.</param>
    /// <returns>Work beyond <see cref="Weight"/>, in steps: 0 where that says it all.</returns>
    public abstract int Step(Configuration from, byte b, bool exact, List<Configuration> output);

    /// <summary>What a step from here costs at least, whatever the byte.</summary>
    public virtual int Weight(Configuration configuration) => 1;

    public abstract bool IsAccepting(Configuration configuration);

    /// <summary>The configuration without what does not matter for the next token.</summary>
    public virtual Configuration ForLookahead(Configuration configuration) => configuration;

    /// <summary>How many printable code points may follow, whatever they are (int.MaxValue: any number), and whether none may beyond those.</summary>
    public virtual (int Count, bool Exact) Coverage(Configuration configuration) => (0, false);
}
