namespace Puna.Training.Planning;

/// <summary>What the memory of activations is estimated for.</summary>
public enum PlanTarget
{
    /// <summary>A trainer on accelerators that keeps the tensors which spec training.md 1.11 lists, with tiled attention.</summary>
    Cluster,

    /// <summary>This library's own trainer on processors: float32, one device, every tensor of the tape, logits in chunks.</summary>
    Cpu,
}
