using Puna.Tensors;

namespace Puna.Models.Tests;

public sealed class RotaryFrequenciesTests
{
    /// <summary>The expected values have ten digits; the frequencies are float32 powers, good to a few of its steps of 6e-8.</summary>
    private const double Relative = 1e-6;

    /// <summary>The table of spec llama1-3.md 2.4: base 500000, low 1, high 4, original context 8192.</summary>
    [Theory]
    [InlineData(128, 8, 28, 3.211446106e-03)]
    [InlineData(128, 8, 29, 2.166570452e-03)]
    [InlineData(128, 8, 31, 8.567514639e-04)]
    [InlineData(128, 8, 34, 1.785078024e-04)]
    [InlineData(128, 8, 35, 9.556212171e-05)]
    [InlineData(128, 8, 63, 3.068925878e-07)]
    [InlineData(128, 32, 29, 2.118406670e-03)]
    [InlineData(128, 32, 30, 1.290548028e-03)]
    [InlineData(128, 32, 34, 9.708286858e-05)]
    [InlineData(128, 32, 35, 2.389053043e-05)]
    [InlineData(128, 32, 63, 7.672314695e-08)]
    [InlineData(64, 32, 14, 3.211446106e-03)]
    [InlineData(64, 32, 15, 1.290548028e-03)]
    [InlineData(64, 32, 16, 4.295566919e-04)]
    [InlineData(64, 32, 17, 9.708286858e-05)]
    [InlineData(64, 32, 18, 1.946163866e-05)]
    [InlineData(64, 32, 31, 9.418306490e-08)]
    public void Llama3RuleGivesThePublishedNumbers(int headDim, int factor, int pair, double expected)
    {
        (float[] frequencies, float magnitude) = Compute(headDim, 5e5, new RopeScaling.Llama3(factor, 1, 4, 8192));
        Assert.InRange(frequencies[pair] / expected, 1 - Relative, 1 + Relative);
        Assert.Equal(1, magnitude);
    }

    /// <summary>Base 10000 and head size 8: frequencies 1, 0.1, 0.01, 0.001 and wavelengths 6.3, 63, 628, 6283. Where the ramp is empty, context / low decides alone.</summary>
    [Theory]
    [InlineData(2, 2)]
    [InlineData(2, 1)]
    [InlineData(4, 1)]
    public void Llama3RuleWithoutARampDividesAboveTheLowEnd(double low, double high)
    {
        // context / low is 1000 or 500, context / high 1000 or 2000: 628 lies between the ends of the last row.
        double third = 2000 / low > 628 ? 0.01 : 0.01 / 8;
        (float[] frequencies, _) = Compute(8, 1e4, new RopeScaling.Llama3(8, low, high, 2000));
        Near([1, 0.1, third, 0.001 / 8], frequencies);
    }

    [Fact]
    public void UnscaledFrequenciesArePowersOfTheBase() => Near([1, 0.1, 0.01, 0.001], Compute(8, 1e4, new RopeScaling.None()).Frequencies);

    [Fact]
    public void LinearScalingDividesAll() => Near([0.25, 0.025, 0.0025, 0.00025], Compute(8, 1e4, new RopeScaling.Linear(4)).Frequencies);

    [Fact]
    public void DivisorsDivideOneByOne() => Near([1, 0.05, 0.0025, 0.000125], Compute(8, 1e4, new RopeScaling.Divisors([1, 2, 4, 8])).Frequencies);

    [Theory]
    [InlineData(256, 1)]
    [InlineData(1, 1)]
    [InlineData(1024, 7)]
    public void DynamicScalingRaisesTheBaseBeyondTheContext(int length, double stretch)
    {
        // 2 * 1024 / 256 - 1 = 7; the base grows by 7^(8/6), so that pair i is divided by 7^(i/3).
        (float[] frequencies, _) = Compute(8, 1e4, new RopeScaling.Dynamic(2), length);
        Near([.. Enumerable.Range(0, 4).Select(i => Math.Pow(10, -i) / Math.Pow(stretch, i / 3.0))], frequencies);
    }

    /// <summary>Original context 2048, 32 and 1 turns: the ramp reaches from dimension 1.00800 to 2.51315, rounded from 1 to 3.</summary>
    [Theory]
    [InlineData(true, 0.00625)]
    [InlineData(false, 0.00505697152)]
    public void YarnRampsOverDimensions(bool truncate, double third)
    {
        (float[] frequencies, float magnitude) = Compute(8, 1e4, new RopeScaling.Yarn(4, 2048, 32, 1, RopeScaling.Yarn.DefaultMagnitude(4), truncate));
        Near([1, 0.1, third, 0.00025], frequencies);
        Assert.Equal(1.138629436f, magnitude, 1e-6f);
    }

    [Fact]
    public void TheReleasedScalingsAreSound()
    {
        foreach (LlamaConfig config in LlamaPresets.All.Values)
        {
            Assert.Same(config, config.Validate("presets"));
        }
    }

    private static void Near(double[] expected, float[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.InRange(actual[i] / expected[i], 1 - Relative, 1 + Relative);
        }
    }

    private static (float[] Frequencies, float Magnitude) Compute(int headDim, double theta, RopeScaling scaling, int length = 256)
    {
        var config = new LlamaConfig
        {
            Hidden = headDim, Ffn = 8, Layers = 1, Heads = 1, KvHeads = 1, HeadDim = headDim, Vocab = 8, ContextLength = 256, NormEpsilon = 1e-5f, RopeTheta = theta, RopeScaling = scaling,
        };
        var frequencies = new float[headDim / 2];
        float magnitude = RotaryFrequencies.Compute(config.Validate("test"), length, frequencies);
        return (frequencies, magnitude);
    }
}
