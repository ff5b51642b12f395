namespace Puna.Training.Planning;

/// <summary>Bytes of one device, or of all together.</summary>
public sealed record MemoryPlan
{
    /// <summary>Weights that are computed with.</summary>
    public double Parameters { get; init; }

    /// <summary>Gradients of weights.</summary>
    public double Gradients { get; init; }

    /// <summary>Moments, and masters where the weights are not float32.</summary>
    public double Optimizer { get; init; }

    /// <summary>The largest group of weights that is gathered to compute with it, where weights are shared.</summary>
    public double Gathered { get; init; }

    /// <summary>What is kept of the forward pass.</summary>
    public double Activations { get; init; }

    /// <summary>What a block that is run again makes anew.</summary>
    public double Recomputed { get; init; }

    /// <summary>Gradients of activations; known for this library's own trainer alone.</summary>
    public double ActivationGradients { get; init; }

    /// <summary>Logits, overwritten by their gradient.</summary>
    public double Logits { get; init; }

    /// <summary>Packed weights, scratch memory of kernels, rounding up of allocations; known for this library's own trainer alone.</summary>
    public double Workspace { get; init; }

    /// <summary>All of it.</summary>
    public double Total => Parameters + Gradients + Optimizer + Gathered + Activations + Recomputed + ActivationGradients + Logits + Workspace;

    /// <summary>The parts with their names, in a fixed order.</summary>
    public IEnumerable<(string Name, double Bytes)> Parts()
    {
        yield return ("parameters", Parameters);
        yield return ("gradients", Gradients);
        yield return ("optimizer", Optimizer);
        yield return ("gathered", Gathered);
        yield return ("activations", Activations);
        yield return ("recomputed", Recomputed);
        yield return ("activation_gradients", ActivationGradients);
        yield return ("logits", Logits);
        yield return ("workspace", Workspace);
    }

    /// <summary>Part by part, <paramref name="count"/> times.</summary>
    internal MemoryPlan Times(double count) => Combine(this, (a, _) => a * count);

    /// <summary>Part by part.</summary>
    internal MemoryPlan Plus(MemoryPlan other) => Combine(other, static (a, b) => a + b);

    private MemoryPlan Combine(MemoryPlan other, Func<double, double, double> f) => new()
    {
        Parameters = f(Parameters, other.Parameters),
        Gradients = f(Gradients, other.Gradients),
        Optimizer = f(Optimizer, other.Optimizer),
        Gathered = f(Gathered, other.Gathered),
        Activations = f(Activations, other.Activations),
        Recomputed = f(Recomputed, other.Recomputed),
        ActivationGradients = f(ActivationGradients, other.ActivationGradients),
        Logits = f(Logits, other.Logits),
        Workspace = f(Workspace, other.Workspace),
    };
}
