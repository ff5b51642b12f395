using Puna.Models.Vision;
using Puna.Tensors;
using Puna.Tensors.Autograd;

namespace Puna.Models.Tests.Vision;

/// <summary>Gradients of a batch that the golden does not have (several images, sets of tiles that overlap, text alone beside it), by finite differences of its loss.</summary>
public sealed class MllamaSlopeTests
{
    private const int ImageToken = 320;

    private static readonly int[][] _texts = [[4, ImageToken, ImageToken, 7, 19, ImageToken, 25, 3], [8, 1, 300, 12, 5], [ImageToken, 30, 31, 32]];

    [Fact]
    public void TheLossFallsAsTheGradientsSay()
    {
        using var golden = new MllamaGolden();
        using var ops = new CpuOps(2);
        MllamaImage tall = new(golden.Image.Pixels, 5, [true, true, false, false]), square = new(golden.Image.Pixels, 6, [true, true, true, true]);
        MllamaImage[] images = [golden.Image, tall, square, tall];
        CrossMask[] masks = [CrossMask.Of(_texts[0], ImageToken, [.. images[..3].Select(static i => i.IsUsed)], 4), CrossMask.Of(_texts[2], ImageToken, [tall.IsUsed], 4)];
        var weights = new Dictionary<string, Weight>();
        Llama model = Llama.Build(golden.Checkpoint.Config, golden.Checkpoint.RopeLayout, name => weights[name] = new Weight(name, Copy(golden.Checkpoint.GetTensor(name))));
        var set = new GradientSet();
        foreach (Weight weight in weights.Values)
        {
            set.Add(weight);
        }

        using (var tape = new Tape(ops, set))
        {
            ArenaMark mark = ops.Mark();
            tape.CrossEntropy(Hidden(tape), model.Output.Weight, Targets(), Scales(), new float[Targets().Length]);
            tape.Backward();
            tape.Reset();
            ops.Release(mark);
        }

        // Along its own gradient a weight's loss rises by the gradient's length; all weights of a kind at once, so that the rise stands out from rounding.
        foreach (string kind in (string[])["cross_attention_layers.0.", "cross_attention_layers.1.", "k_norm", "q_norm", "gate", "tile_pos_embed", "positional_embedding", "class_embedding", "conv1", ".ln_", "transformer.resblocks.0.", "global_transformer.resblocks.1.", "vision_projection", "tok_embeddings", "layers.0.feed_forward"])
        {
            (Tensor Values, Tensor Gradient)[] chosen = [.. weights.Where(pair => pair.Key.Contains(kind, StringComparison.Ordinal)).Select(pair => (pair.Value.Master, set.Find(pair.Value)!.Value))];
            double length = Math.Sqrt(chosen.Sum(pair => ops.SquareSum(pair.Gradient)));
            Assert.True(length > 1e-3, $"{kind}: {length}");
            double step = 5e-4 / length;
            double above = Moved(step), below = Moved(-2 * step);
            Moved(step);

            // The loss of about 6 is known to 1e-6 and rises by 1e-3 from end to end; the rest is the change of its curvature.
            double ratio = (above - below) / (2 * step * length);
            Assert.True(ratio is > 0.99 and < 1.01, $"{kind}: {ratio}, length {length}");

            double Moved(double by)
            {
                foreach ((Tensor values, Tensor gradient) in chosen)
                {
                    for (long row = 0; row < values.Rows; row++)
                    {
                        Span<float> to = values.Row<float>(row), from = gradient.Row<float>(row);
                        for (int i = 0; i < to.Length; i++)
                        {
                            to[i] += (float)(by / length * from[i]);
                        }
                    }
                }

                return Loss();
            }
        }

        double Loss()
        {
            using var tape = new Tape(ops, new GradientSet());
            ArenaMark mark = ops.Mark();
            double loss = tape.CrossEntropy(Hidden(ops), model.Output.Weight, Targets(), Scales(), new float[Targets().Length]);
            ops.Release(mark);
            return loss;
        }

        Tensor Hidden(IOps on)
        {
            var batch = new Batch();
            foreach (int[] text in _texts)
            {
                int first = batch.Count;
                batch.Add(text, 0, BatchOutputs.None);
                for (int i = 0; i + 1 < text.Length; i++)
                {
                    if (text[i + 1] != ImageToken)
                    {
                        batch.AddOutput(first + i);
                    }
                }
            }

            Tensor features = model.Vision!.Forward(on, images);
            return model.Hidden(on, batch, new ForwardContext(), null, [CrossStates.Of(masks[0], features), null, CrossStates.Of(masks[1], features, 3)]);
        }
    }

    private static int[] Targets() => [.. _texts.SelectMany(static text => text[1..].Where(static id => id != ImageToken))];

    private static float[] Scales() => [.. Targets().Select(static _ => 1f / Targets().Length)];

    private static Tensor Copy(Tensor tensor)
    {
        Tensor copy = Tensor.Create(tensor.Shape);
        for (long row = 0; row < tensor.Rows; row++)
        {
            tensor.Row<float>(row).CopyTo(copy.Row<float>(row));
        }

        return copy;
    }
}
