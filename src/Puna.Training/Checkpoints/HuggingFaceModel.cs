using Puna.Formats.Safetensors;
using Puna.Models;
using Puna.Models.Checkpoints;
using Puna.Tensors;
using Puna.Training.Core;

namespace Puna.Training.Checkpoints;

/// <summary>Writes a model that is trained as published ones are: safetensors under Hugging Face's names, in their shapes, the experts of a layer in one tensor.</summary>
public static class HuggingFaceModel
{
    /// <summary>Writes all weights, float32.</summary>
    /// <param name="model">The model.</param>
    /// <param name="path">The file.</param>
    /// <exception cref="PunaException">Rows of wq and wk are in Meta's order.</exception>
    public static void Write(TrainableModel model, string path)
    {
        if (model.RopeLayout != (model.Config.Llama4 is null ? RopeLayout.HalfSplit : RopeLayout.Interleaved))
        {
            throw new PunaException($"model {path}: expected rows of wq and wk in Hugging Face's order, got Meta's (convert the model to safetensors first)");
        }

        Dictionary<string, Weight> weights = model.Weights.ToDictionary(static w => w.Name, StringComparer.Ordinal);
        List<(string Name, Shape Shape, Func<Tensor> Values)> tensors = [];
        foreach (Weight weight in model.Weights)
        {
            if (!weight.Name.Contains(".experts.", StringComparison.Ordinal))
            {
                (string name, Shape shape) = Place(model, weight);
                tensors.Add((name, shape, () => new Tensor(weight.Master.Storage, weight.Master.Offset, shape, DType.F32)));
            }
            else if (weight.Name.EndsWith(".experts.0.w1.weight", StringComparison.Ordinal))
            {
                string layer = weight.Name[..^"0.w1.weight".Length];
                tensors.Add(Stack(model, weights, layer, "gate_up_proj", "w1", "w3"));
                tensors.Add(Stack(model, weights, layer, "down_proj", "w2"));
            }
        }

        using var writer = new SafetensorsWriter(path);
        foreach ((string name, Shape shape, _) in tensors)
        {
            writer.Declare(name, DType.F32, shape);
        }

        writer.Begin();
        foreach ((_, _, Func<Tensor> values) in tensors)
        {
            writer.WriteTensor(values());
        }

        writer.Complete();
    }

    private static (string Name, Shape Shape) Place(TrainableModel model, Weight weight)
    {
        Shape shape = weight.Shape;
        if (model.Pictures is not null)
        {
            return TrainableModel.IsOfPictures(weight.Name)
                ? (Llama4VisionNames.In(CheckpointFormat.Safetensors, weight.Name), weight.Name.EndsWith(".class_embedding", StringComparison.Ordinal) ? new Shape(shape.Columns) : shape)
                : (Prefix(model) + TensorNames.In(CheckpointFormat.Safetensors, weight.Name, model.Config), shape);
        }

        return (TensorNames.In(CheckpointFormat.Safetensors, weight.Name, model.Config), TensorNames.ShapeIn(CheckpointFormat.Safetensors, weight.Name, shape, model.Config));
    }

    private static string Prefix(TrainableModel model) => model.Pictures is null ? "" : "language_model.";

    /// <summary>Matrices of all experts side by side as <c>[experts, in, out]</c> (spec llama4.md 5.2).</summary>
    private static (string Name, Shape Shape, Func<Tensor> Values) Stack(TrainableModel model, Dictionary<string, Weight> weights, string layer, string name, params string[] matrices)
    {
        int experts = model.Config.Llama4!.Experts;
        Weight Matrix(int expert, string matrix) => weights[$"{layer}{expert}.{matrix}.weight"];
        Shape one = Matrix(0, matrices[0]).Shape;
        var shape = new Shape(experts, one.Columns, one.Rows * matrices.Length);
        return ($"{Prefix(model)}model.{layer}{name}", shape, Values);

        Tensor Values()
        {
            Tensor stack = Tensor.Create(shape);
            for (int e = 0; e < experts; e++)
            {
                for (int m = 0; m < matrices.Length; m++)
                {
                    Tensor matrix = Matrix(e, matrices[m]).Master;
                    for (long o = 0; o < one.Rows; o++)
                    {
                        ReadOnlySpan<float> row = matrix.Row<float>(o);
                        for (int i = 0; i < row.Length; i++)
                        {
                            stack.Row<float>((e * one.Columns) + i)[(int)((m * one.Rows) + o)] = row[i];
                        }
                    }
                }
            }

            return stack;
        }
    }
}
