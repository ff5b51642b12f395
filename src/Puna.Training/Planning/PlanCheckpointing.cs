namespace Puna.Training.Planning;

/// <summary>What is kept of a block for the way back.</summary>
public enum PlanCheckpointing
{
    /// <summary>Everything.</summary>
    None,

    /// <summary>Its input; the block is run again.</summary>
    Full,
}
