using Puna.Models.PromptGuard;
using Puna.Tensors;
using Puna.Tensors.Autograd;

namespace Puna.Models.Tests.PromptGuard;

/// <summary>The way back through a whole Prompt Guard classifier, against finite differences of the same formulas in double. (The golden holds no gradients.)</summary>
public sealed class DebertaGradientTests
{
    /// <summary>The step's square (1e-10) and rounding over the step (1e-11) are small against float32's: gradients go through two layers of six sums each.</summary>
    private const double Step = 1e-5, Tolerance = 1e-4;

    /// <summary>One text longer than the buckets reach, so that far distances share a row; one of few tokens.</summary>
    private static readonly int[][] Texts = [[1, 5, 6, 7, 8, 9, 10, 5, 3, 4, 11, 2], [1, 4, 2]];

    [Theory]
    [InlineData(4, true)]
    [InlineData(0, false)]
    public void EveryParametersGradientIsThatOfFiniteDifferences(int buckets, bool normsDistances)
    {
        var config = new DebertaConfig
        {
            Hidden = 8, Ffn = 12, Layers = 2, Heads = 2, Vocab = 12, ContextLength = 8, Buckets = buckets, MaxDistance = 8, NormEpsilon = 1e-7f, NormsDistances = normsDistances, Labels = ["a", "b", "c"],
        };
        var random = new Random(5);
        var weights = new Dictionary<string, Weight>();
        var values = new Dictionary<string, double[]>();
        foreach ((string name, Shape shape) in config.Parameters())
        {
            bool isGain = name.EndsWith("LayerNorm.weight", StringComparison.Ordinal);
            float[] numbers = [.. Enumerable.Range(0, (int)shape.Count).Select(_ => (float)((isGain ? 1 : 0) + ((random.NextDouble() - 0.5) * 0.8)))];
            weights.Add(name, new Weight(name, Tensor.From(numbers, shape)));
            values.Add(name, Array.ConvertAll(numbers, static v => (double)v));
        }

        float[] slopes = [0.5f, -1, 0.25f, 0.75f, 1, -0.5f];
        (float[] logits, Dictionary<string, float[]> gradients) = Back(config, weights, slopes, checkpoints: false);
        var oracle = new DebertaOracle(config, values);
        double[] expected = [.. Texts.SelectMany(oracle.Logits)];
        Assert.InRange(expected.Zip(logits, static (a, b) => Math.Abs(a - b)).Max(), 0, 1e-5);
        foreach ((string name, double[] parameter) in values)
        {
            double[] slope = Differences(oracle, parameter, slopes);
            double largest = Math.Max(1e-3, slope.Max(Math.Abs));
            Assert.True(slope.Zip(gradients[name], static (a, b) => Math.Abs(a - b)).Max() <= Tolerance * largest, name);
        }

        // A block that is run again on the way back gives the same bits, its share of the table's gradient included.
        (_, Dictionary<string, float[]> again) = Back(config, weights, slopes, checkpoints: true);
        Assert.All(gradients, pair => Assert.Equal(pair.Value, again[pair.Key]));
    }

    private static (float[] Logits, Dictionary<string, float[]> Gradients) Back(DebertaConfig config, Dictionary<string, Weight> weights, float[] slopes, bool checkpoints)
    {
        using var ops = new CpuOps(2);
        var set = new GradientSet();
        Dictionary<string, Tensor> gradients = weights.ToDictionary(static pair => pair.Key, pair => set.Add(pair.Value));
        using var tape = new Tape(ops, set, checkpoints);
        var batch = new Batch();
        foreach (int[] text in Texts)
        {
            batch.Add(text, 0, BatchOutputs.None);
        }

        ArenaMark mark = ops.Mark();
        Tensor logits = DebertaClassifier.Build(config, name => weights[name]).Forward(tape, batch);
        var read = new float[logits.Shape.Count];
        ops.Read(logits, read);
        tape.Seed(logits, Tensor.From(slopes, logits.Shape));
        tape.Backward();
        ops.Release(mark);
        return (read, gradients.ToDictionary(static pair => pair.Key, pair =>
        {
            var values = new float[pair.Value.Shape.Count];
            ops.Read(pair.Value, values);
            return values;
        }));
    }

    private static double[] Differences(DebertaOracle oracle, double[] parameter, float[] slopes)
    {
        var result = new double[parameter.Length];
        for (int i = 0; i < parameter.Length; i++)
        {
            double at = parameter[i];
            parameter[i] = at + Step;
            double above = Sum();
            parameter[i] = at - Step;
            double below = Sum();
            parameter[i] = at;
            result[i] = (above - below) / (2 * Step);
        }

        return result;

        double Sum() => Texts.SelectMany(oracle.Logits).Zip(slopes, static (a, b) => a * b).Sum();
    }
}
