using Puna.Runtime.Sampling;

namespace Puna.Runtime.Tests.Sampling;

public class PortableExpTests
{
    [Fact]
    public void AgreesWithTheLibrary()
    {
        // Rounding of the polynomial's last steps and of r: below 4 units in the last place (2^-52 each) over the whole range.
        var logits = new float[100_003];
        for (int i = 0; i < logits.Length; i++)
            logits[i] = -700f * i / logits.Length;
        var weights = new double[logits.Length];
        double sum = PortableExp.Weights(logits, 0, 1, weights);
        double worst = 0, expectedSum = 0;
        for (int i = 0; i < logits.Length; i++)
        {
            double expected = Math.Exp(logits[i]);
            expectedSum += expected;
            worst = Math.Max(worst, Math.Abs((weights[i] - expected) / expected));
        }

        Assert.InRange(worst, 0, 4 * Math.Pow(2, -52));
        Assert.InRange(sum / expectedSum, 1 - 1e-13, 1 + 1e-13);
        Assert.Equal(sum, PortableExp.Sum(logits, 0));
    }

    [Fact]
    public void TheMaximumWeighsExactlyOne()
    {
        float[] logits = [100.5f, 100.5f, 99f, -3e38f, float.NegativeInfinity, 100.5f, 0, 0, 0, 100.5f];
        var weights = new double[logits.Length];
        PortableExp.Weights(logits, 100.5f, 0.3, weights);
        Assert.All([0, 1, 5, 9], i => Assert.Equal(1.0, weights[i]));
        Assert.Equal(0.0, weights[3]);
        Assert.Equal(0.0, weights[4]);
    }

    [Theory]
    [InlineData(double.Epsilon, 1, 0)]
    [InlineData(double.MaxValue, 1, 1)]
    public void ExtremeTemperaturesAreFine(double temperature, double first, double second)
    {
        var weights = new double[2];
        PortableExp.Weights([2f, 1f], 2, temperature, weights);
        Assert.Equal([first, second], weights);
    }

    [Fact]
    public void LanesAndTailGiveTheSameBits()
    {
        // A token's weight must not depend on where in the row it stands.
        var row = Enumerable.Repeat(-1.2345f, 21).ToArray();
        var weights = new double[row.Length];
        PortableExp.Weights(row, 0, 0.77, weights);
        Assert.Single(weights.Distinct());
    }
}
