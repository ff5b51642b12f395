using Puna.Tensors;

namespace Puna.Training.Core;

/// <summary>AdamW over all parameters of a model, with float32 moments (spec training.md 1.4).</summary>
public sealed class AdamWOptimizer
{
    private readonly IReadOnlyList<TrainableParameter> _parameters;
    private readonly AdamWOptions _options;

    /// <summary>Creates the optimiser with moments of zero.</summary>
    public AdamWOptimizer(IReadOnlyList<TrainableParameter> parameters, AdamWOptions options)
        : this(parameters, options, Zeros(parameters), Zeros(parameters))
    {
    }

    private AdamWOptimizer(IReadOnlyList<TrainableParameter> parameters, AdamWOptions options, IReadOnlyList<Tensor> first, IReadOnlyList<Tensor> second) =>
        (_parameters, _options, First, Second) = (parameters, options, first, second);

    /// <summary>Steps done.</summary>
    public long Steps { get; set; }

    /// <summary>First moments, one per parameter.</summary>
    public IReadOnlyList<Tensor> First { get; }

    /// <summary>Second moments, one per parameter.</summary>
    public IReadOnlyList<Tensor> Second { get; }

    /// <summary>The same optimiser for parameters of the same shapes in the same order: moments and counter stay.</summary>
    public AdamWOptimizer For(IReadOnlyList<TrainableParameter> parameters) => new(parameters, _options, First, Second) { Steps = Steps };

    /// <summary>The norm of all gradients together; a parameter counts once.</summary>
    public double GradientNorm(IGradientOps ops)
    {
        double sum = 0;
        foreach (TrainableParameter parameter in _parameters)
        {
            sum += ops.SquareSum(parameter.Gradient);
        }

        return Math.Sqrt(sum);
    }

    /// <summary>One step with the gradients as they are.</summary>
    /// <param name="ops">The device.</param>
    /// <param name="rate">Learning rate of this step.</param>
    /// <param name="scale">What gradients are multiplied by first: clipping.</param>
    public void Step(IGradientOps ops, float rate, float scale)
    {
        Steps++;
        for (int i = 0; i < _parameters.Count; i++)
        {
            TrainableParameter p = _parameters[i];
            var step = new AdamWConstants(Steps, rate, _options.Beta1, _options.Beta2, _options.Epsilon, p.Decays ? _options.Decay : 0, scale);
            ops.AdamW(p.Values, p.Gradient, First[i], Second[i], step);
            p.Weight.Changed();
        }
    }

    private static Tensor[] Zeros(IReadOnlyList<TrainableParameter> parameters) => [.. parameters.Select(static p => Tensor.Create(p.Values.Shape))];
}
