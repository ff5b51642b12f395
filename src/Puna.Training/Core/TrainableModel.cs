using Puna.Models;
using Puna.Models.Checkpoints;
using Puna.Tensors;
using Puna.Tensors.Autograd;
using Puna.Tensors.Quantization;

namespace Puna.Training.Core;

/// <summary>A Llama whose parameters are float32 masters in memory of their own, each with a gradient. The model itself is the one that inference runs.</summary>
public sealed class TrainableModel
{
    private TrainableModel(LlamaConfig config, RopeLayout layout, Func<string, Shape, Tensor> values)
    {
        var parameters = new List<TrainableParameter>();
        var byName = new Dictionary<string, Weight>(StringComparer.Ordinal);
        foreach ((string name, Shape shape) in config.Parameters())
        {
            var weight = new Weight(name, values(name, shape));
            byName.Add(name, weight);
            parameters.Add(new TrainableParameter(name, weight, Gradients.Add(weight)));
        }

        Parameters = parameters;
        RopeLayout = layout;
        Model = Llama.Build(config, layout, name => byName[name]);
    }

    /// <summary>The model.</summary>
    public Llama Model { get; }

    /// <summary>Shape and arithmetic.</summary>
    public LlamaConfig Config => Model.Config;

    /// <summary>Order of the rows of wq and wk within a head.</summary>
    public RopeLayout RopeLayout { get; }

    /// <summary>Every parameter under its canonical name, in the order of the forward pass; a tied embedding is one.</summary>
    public IReadOnlyList<TrainableParameter> Parameters { get; }

    /// <summary>The gradients, for a <see cref="Tape"/>.</summary>
    public GradientSet Gradients { get; } = new();

    /// <summary>A new model with random weights, a pure function of config and seed (<see cref="Initialization"/>). Rows of wq and wk are in Hugging Face's order.</summary>
    public static TrainableModel Create(LlamaConfig config, ulong seed) =>
        new(config.Validate("training"), config.Llama4 is null ? RopeLayout.HalfSplit : RopeLayout.Interleaved, (name, shape) => Initialization.Create(config, name, shape, seed));

    /// <summary>The model of a checkpoint, as float32; the checkpoint may be closed afterwards.</summary>
    public static TrainableModel Load(Checkpoint checkpoint) => new(checkpoint.Config, checkpoint.RopeLayout, (name, shape) =>
    {
        Tensor source = checkpoint.GetTensor(name);
        Tensor copy = Tensor.Create(shape);
        for (long row = 0; row < shape.Rows; row++)
        {
            Dequantizer.Dequantize(source.DType, source.Row<byte>(row), copy.Row<float>(row));
        }

        checkpoint.Release(name, source);
        return copy;
    });

    /// <summary>The same weights seen through another config of the same shapes: a longer context, another rotary base. Gradients are new.</summary>
    public TrainableModel With(LlamaConfig config)
    {
        Dictionary<string, Tensor> values = Parameters.ToDictionary(static p => p.Name, static p => p.Values, StringComparer.Ordinal);
        return new TrainableModel(config.Validate("training"), RopeLayout, (name, shape) =>
            values.TryGetValue(name, out Tensor tensor) && tensor.Shape == shape ? tensor : throw new PunaException($"parameter {name}: expected {shape}, which the model does not have"));
    }
}
