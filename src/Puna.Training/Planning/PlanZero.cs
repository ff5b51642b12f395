namespace Puna.Training.Planning;

/// <summary>What data-parallel ranks share among them instead of each holding all of it (ZeRO, FSDP).</summary>
public enum PlanZero
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>The optimiser's state.</summary>
    Optimizer,

    /// <summary>The optimiser's state and gradients, which are summed where they are kept: Llama 3 (spec training.md 11).</summary>
    Gradients,

    /// <summary>The optimiser's state, gradients and weights; what is being computed is gathered.</summary>
    Full,
}
