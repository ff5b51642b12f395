namespace Puna.Text.Tools;

/// <summary>What a machine makes of a character.</summary>
internal enum ScanResult
{
    /// <summary>It belongs to what is being read.</summary>
    More,

    /// <summary>With it, what is being read is complete.</summary>
    Complete,

    /// <summary>What was being read was complete before it; the character belongs to what follows.</summary>
    CompleteBefore,

    /// <summary>It cannot follow.</summary>
    Failed,
}

/// <summary>Receives the calls that a machine finds, as they come.</summary>
internal interface ICallSink
{
    /// <summary>A call begins; those before it are complete.</summary>
    void Start(string name);

    /// <summary>More of its arguments.</summary>
    void Append(System.Text.StringBuilder arguments);
}

/// <summary>
/// Reads calls in one notation, character by character and so the same however the text is cut up. As long as it has told of no call, the text may still turn out to be none; from there on
/// it is one. Linear, by hand, and nothing is evaluated.
/// </summary>
internal abstract class CallMachine
{
    /// <summary>Deepest nesting of brackets.</summary>
    public const int MostDepth = 64;

    /// <summary>Takes one character.</summary>
    /// <param name="c">The character.</param>
    /// <param name="sink">Receives what it brings.</param>
    public abstract ScanResult Push(char c, ICallSink sink);

    /// <summary>What was taken after the end of a call that turned out to be complete.</summary>
    public virtual string Rest => "";

    /// <summary>Ends the reply; whether what was being read is complete as it stands, but for <see cref="Rest"/>.</summary>
    /// <param name="sink">Receives what that brings.</param>
    public virtual bool EndReply(ICallSink sink) => false;
}
