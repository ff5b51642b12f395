using Puna.Models;
using Puna.Models.Checkpoints;
using Puna.Models.Vision;
using Puna.Tensors;
using Puna.Tensors.Autograd;
using Puna.Tensors.Quantization;

namespace Puna.Training.Core;

/// <summary>A Llama whose parameters are float32 masters in memory of their own, each with a gradient. The model itself is the one that inference runs.</summary>
public sealed class TrainableModel
{
    private const string Llama4ClassEmbedding = "vision_embeddings.vision_encoder.class_embedding";

    private readonly Func<string, bool>? _trains;

    private TrainableModel(LlamaConfig config, RopeLayout layout, Llama4VisionConfig? vision, Func<string, bool>? trains, Func<string, Shape, Tensor> values)
    {
        var parameters = new List<TrainableParameter>();
        var weights = new List<Weight>();
        var byName = new Dictionary<string, Weight>(StringComparer.Ordinal);
        foreach ((string name, Shape shape) in vision is null ? config.Parameters() : config.Parameters().Concat(vision.Parameters(config.Hidden)))
        {
            // The class embedding of Llama 4's encoder is a table of one row there.
            bool isTable = vision is not null && name == Llama4ClassEmbedding;
            var weight = new Weight(name, values(name, isTable ? new Shape(1, shape.Columns) : shape));
            byName.Add(name, weight);
            weights.Add(weight);
            if (trains is null || trains(name))
            {
                parameters.Add(new TrainableParameter(name, weight, Gradients.Add(weight)));
            }
        }

        (Parameters, Weights, _trains) = (parameters, weights, trains);
        RopeLayout = layout;
        Model = Llama.Build(config, layout, name => byName[name]);
        Pictures = vision is null ? null : Llama4Vision.Build(vision, name => byName[name]);
    }

    /// <summary>The model.</summary>
    public Llama Model { get; }

    /// <summary>Shape and arithmetic.</summary>
    public LlamaConfig Config => Model.Config;

    /// <summary>Order of the rows of wq and wk within a head.</summary>
    public RopeLayout RopeLayout { get; }

    /// <summary>What makes pictures into tokens of a Llama 4, or null.</summary>
    public Llama4Vision? Pictures { get; }

    /// <summary>Every parameter that is trained under its canonical name, in the order of the forward pass; a tied embedding is one.</summary>
    public IReadOnlyList<TrainableParameter> Parameters { get; }

    /// <summary>Every weight under its canonical name, frozen ones too, in the same order.</summary>
    public IReadOnlyList<Weight> Weights { get; }

    /// <summary>The gradients, for a <see cref="Tape"/>.</summary>
    public GradientSet Gradients { get; } = new();

    /// <summary>A new model with random weights, a pure function of config and seed (<see cref="Initialization"/>). Rows of wq and wk are in Hugging Face's order.</summary>
    public static TrainableModel Create(LlamaConfig config, ulong seed) => new(
        config.Validate("training"), config.Llama4 is null ? RopeLayout.HalfSplit : RopeLayout.Interleaved, config.Llama4?.Vision, null, (name, shape) => Initialization.Create(config, name, shape, seed));

    /// <summary>The model of a checkpoint, as float32; the checkpoint may be closed afterwards.</summary>
    /// <param name="checkpoint">The checkpoint.</param>
    /// <param name="withPictures">Of a Llama 4 that sees, whether its encoder comes along; without, it is a text model.</param>
    public static TrainableModel Load(Checkpoint checkpoint, bool withPictures = false) => new(checkpoint.Config, checkpoint.RopeLayout, withPictures ? checkpoint.Config.Llama4?.Vision : null, null, (name, shape) =>
    {
        bool isPictures = IsOfPictures(name) && checkpoint.Config.Llama4 is not null;
        Tensor source = isPictures ? checkpoint.File.GetTensor(Llama4VisionNames.In(checkpoint.Format, name)) : checkpoint.GetTensor(name);
        if (source.Shape.Count != shape.Count)
        {
            throw new PunaException($"parameter {name}: expected {shape}, got {source.Shape} ({checkpoint.Path})");
        }

        source = isPictures ? new Tensor(source.Storage, source.Offset, shape, source.DType) : source;
        Tensor copy = Tensor.Create(shape);
        for (long row = 0; row < shape.Rows; row++)
        {
            Dequantizer.Dequantize(source.DType, source.Row<byte>(row), copy.Row<float>(row));
        }

        if (!isPictures)
        {
            checkpoint.Release(name, source);
        }

        return copy;
    });

    /// <summary>The same weights seen through another config of the same shapes: a longer context, another rotary base. Gradients are new.</summary>
    public TrainableModel With(LlamaConfig config) => With(config, _trains);

    /// <summary>The same weights of which only some are trained; the others have no gradients. Gradients are new.</summary>
    /// <param name="trains">Whether the parameter of a name is trained; null means all.</param>
    public TrainableModel Training(Func<string, bool>? trains) => With(Config, trains);

    /// <summary>Whether a parameter is one of those that see: of Llama 4's encoder, of Llama 3.2 Vision's or of the layers that look at it.</summary>
    /// <param name="name">Canonical name.</param>
    public static bool IsOfPictures(string name) => name.StartsWith("vision_", StringComparison.Ordinal) || name.StartsWith("cross_attention_layers.", StringComparison.Ordinal);

    private TrainableModel With(LlamaConfig config, Func<string, bool>? trains)
    {
        Dictionary<string, Tensor> values = Weights.ToDictionary(static w => w.Name, static w => w.Master, StringComparer.Ordinal);
        return new TrainableModel(config.Validate("training"), RopeLayout, Pictures?.Config, trains, (name, shape) =>
            values.TryGetValue(name, out Tensor tensor) && tensor.Shape == shape ? tensor : throw new PunaException($"parameter {name}: expected {shape}, which the model does not have"));
    }
}
