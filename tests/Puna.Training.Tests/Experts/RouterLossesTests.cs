using Puna.Formats.Safetensors;
using Puna.Tensors;
using Puna.Tests.Shared;
using Puna.Training.Experts;

namespace Puna.Training.Tests.Experts;

/// <summary>Losses of routers' scores against transformers' values and gradients, closed forms and finite differences.</summary>
public sealed class RouterLossesTests
{
    private const int Count = 8;

    // Values and gradients of the reference are float32 of PyTorch; these are computed in float64.
    private const double Tolerance = 2e-6;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void BalanceIsThatOfTheReference(int perToken)
    {
        using SafetensorsFile golden = SafetensorsFile.Open(TestFiles.Golden("post-training", "router.safetensors"));
        float[] scores = Scores(golden), gradient = new float[scores.Length];
        double loss = RouterLosses.Balance(scores, Count, Counts(scores, perToken), 1, gradient);
        Assert.Equal(golden.GetTensor($"load_balancing_top{perToken}").Row<float>(0)[0], loss, Tolerance);
        float[] expected = [.. Values(golden, $"grad_top{perToken}_0"), .. Values(golden, $"grad_top{perToken}_1")];
        double largest = expected.Max(static x => Math.Abs(x));
        Assert.All(expected.Zip(gradient), pair => Assert.Equal(pair.First, pair.Second, 1e-5 * largest));
    }

    [Fact]
    public void TheLossOfLargeScoresIsThatOfTheReference()
    {
        using SafetensorsFile golden = SafetensorsFile.Open(TestFiles.Golden("post-training", "router.safetensors"));
        float[] scores = Scores(golden);
        Assert.Equal(golden.GetTensor("z_loss").Row<float>(0)[0], RouterLosses.Z(scores, Count, 1, new float[scores.Length]), 1e-5);
        Slopes(scores, (s, gradient) => RouterLosses.Z(s, Count, 1, gradient));
    }

    [Fact]
    public void EvenLoadsAreOneAndASingleExpertIsAsManyAsThereAre()
    {
        var even = new float[16 * Count];
        Assert.Equal(1, RouterLosses.Balance(even, Count, [.. Enumerable.Repeat(2, Count)], 1, new float[even.Length]), 1e-12);
        float[] one = [.. Enumerable.Range(0, 16 * Count).Select(static i => i % Count == 3 ? 100f : 0f)];
        Assert.Equal(Count, RouterLosses.Balance(one, Count, Counts(one, 1), 1, new float[one.Length]), 1e-12);
    }

    /// <summary>Of scores that are no numbers nobody is first: neither an exception nor a search without end.</summary>
    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void ScoresThatAreNoNumbersHaveNoLoss(float bad)
    {
        float[] scores = Random(5, 12 * Count), noisy = [.. scores];
        scores[Count + 2] = noisy[Count + 2] = bad;
        var gradient = new float[scores.Length];
        Assert.Equal(double.NaN, RouterLosses.Load(scores, Count, noisy, 2, 0.3, 1, gradient));
        Assert.All(gradient, static d => Assert.True(float.IsNaN(d)));
    }

    [Fact]
    public void BalanceHasTheSlopesOfItsGradient()
    {
        float[] scores = Random(5, 12 * Count);
        int[] counts = Counts(scores, 2);
        Slopes(scores, (s, gradient) => RouterLosses.Balance(s, Count, counts, 1, gradient));
    }

    /// <summary>Common random numbers: the noise moves with the scores.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(7)]
    public void LoadHasTheSlopesOfItsGradient(int perToken)
    {
        float[] scores = Random(6, 12 * Count), noise = Random(7, scores.Length);
        Slopes(scores, (s, gradient) => RouterLosses.Load(s, Count, [.. s.Zip(noise, static (a, b) => a + b)], perToken, 0.8, 1, gradient));
        Assert.Equal(0, RouterLosses.Load(scores, Count, scores, Count, 0.8, 1, new float[scores.Length]));
    }

    /// <summary>Of two experts with one per row, the probability of the first is the normal distribution function of its distance from the other's noisy score.</summary>
    [Fact]
    public void LoadIsThatOfTheDefinition()
    {
        // Distances of -1, 0 and 2 deviations for the first expert, of -0.5, 1 and -3 for the second.
        float[] scores = [1, 0, 0, 0, 3, 0], noisy = [0.5f, 2, -1, 0, 3, 1];
        double first = 0.15865525393145707 + 0.5 + 0.9772498680518208, second = 0.3085375387259869 + 0.8413447460685429 + 0.0013498980316300933, mean = (first + second) / 2;
        double expected = (((first - mean) * (first - mean)) + ((second - mean) * (second - mean))) / 2 / (mean * mean);
        Assert.Equal(expected, RouterLosses.Load(scores, 2, noisy, 1, 1, 1, new float[6]), 1e-9);
    }

    private static void Slopes(float[] scores, Func<float[], float[], double> loss)
    {
        var gradient = new float[scores.Length];
        loss(scores, gradient);
        double largest = gradient.Max(static x => Math.Abs(x));
        Assert.True(largest > 0);
        for (int i = 0; i < scores.Length; i++)
        {
            // 2^-9 is exact in float32 beside scores near 1; the error of the difference is its square.
            float[] up = [.. scores], down = [.. scores];
            up[i] += 1f / 512;
            down[i] -= 1f / 512;
            double slope = (loss(up, new float[scores.Length]) - loss(down, new float[scores.Length])) / ((double)up[i] - down[i]);
            Assert.Equal(slope, gradient[i], 1e-3 * largest);
        }
    }

    private static float[] Random(int seed, int count)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => (float)Math.Round((random.NextDouble() * 4) - 2, 3))];
    }

    private static float[] Scores(SafetensorsFile golden) => [.. Values(golden, "router_logits_0"), .. Values(golden, "router_logits_1")];

    private static float[] Values(SafetensorsFile golden, string name)
    {
        Tensor tensor = golden.GetTensor(name);
        return tensor.Storage.Span<float>(tensor.Offset, (int)tensor.Shape.Count).ToArray();
    }

    private static int[] Counts(float[] scores, int perToken)
    {
        var counts = new int[Count];
        for (int row = 0; row < scores.Length / Count; row++)
        {
            foreach (int e in Enumerable.Range(0, Count).OrderByDescending(e => scores[(row * Count) + e]).Take(perToken))
            {
                counts[e]++;
            }
        }

        return counts;
    }
}
