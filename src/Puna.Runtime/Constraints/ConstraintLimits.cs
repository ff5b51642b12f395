namespace Puna.Runtime.Constraints;

/// <summary>What compiling a constraint may cost. Beyond a limit the constraint is refused; nothing is cut off silently.</summary>
public sealed record ConstraintLimits
{
    /// <summary>The limits used where none are given.</summary>
    public static ConstraintLimits Default { get; } = new();

    /// <summary>Longest text of a schema, expression or grammar, in characters.</summary>
    public int MaxTextLength { get; init; } = 4 << 20;

    /// <summary>Deepest nesting of a schema's JSON, of a regular expression's groups and of a grammar's groups.</summary>
    public int MaxDepth { get; init; } = 128;

    /// <summary>Most distinct combinations of subschemas, and most symbols of a grammar.</summary>
    public int MaxNodes { get; init; } = 20_000;

    /// <summary>Most alternatives one combination of subschemas may multiply out to.</summary>
    public int MaxBranches { get; init; } = 512;

    /// <summary>Most states of one automaton for strings, keys or numbers.</summary>
    public int MaxStates { get; init; } = 50_000;

    /// <summary>Longest string that <c>minLength</c>, <c>maxLength</c> may ask for.</summary>
    public int MaxStringLength { get; init; } = 1 << 20;

    /// <summary>Most parallel readings of a text (ambiguity), before it is refused.</summary>
    public int MaxConfigurations { get; init; } = 1_000;

    /// <summary>Deepest nesting of generated text.</summary>
    public int MaxTextDepth { get; init; } = 256;

    /// <summary>
    /// Most steps for one mask: each reading followed by one byte is one, some are several, and 16 bytes of tokens looked at are one. They are counted as if
    /// nothing were known of earlier masks, so that a text is refused or not whatever other texts there are.
    /// </summary>
    public int MaxMaskSteps { get; init; } = 200_000;

    /// <summary>Most steps that all masks of a text may take beyond <see cref="MeanMaskSteps"/> for each of them.</summary>
    public long MaxTextSteps { get; init; } = 5_000_000;

    /// <summary>Steps that the masks of a text may take on average, however long it is.</summary>
    public int MeanMaskSteps { get; init; } = 50_000;

    /// <summary>Most bytes, by estimate, of the states and masks that a constraint keeps from one mask to the next.</summary>
    public long MaxBytes { get; init; } = 32 << 20;

    /// <summary>Longest time one compilation may take.</summary>
    public TimeSpan MaxCompileTime { get; init; } = TimeSpan.FromSeconds(20);
}
