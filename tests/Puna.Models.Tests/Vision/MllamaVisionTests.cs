using Puna.Models.Vision;
using Puna.Tensors;

namespace Puna.Models.Tests.Vision;

/// <summary>The encoder against the reference's output, and its bits however it is run.</summary>
public sealed class MllamaVisionTests
{
    /// <summary>goldens/README.md; features are of the size of a few units, and a float64 implementation is within 2e-6 of them.</summary>
    private const double Tolerance = 2e-5;

    [Fact]
    public void FeaturesAreThoseOfTheReferenceEmptySlotsIncluded()
    {
        using var golden = new MllamaGolden();
        using var ops = new CpuOps(2);
        float[] features = MllamaGolden.Read(ops, golden.Model.Vision!.Encode(ops, [golden.Image]));
        float[] expected = golden.Io.Floats("vision_output");
        Assert.InRange(GoldenIo.MaxDifference(expected, features), 0, Tolerance * expected.Max(Math.Abs));
    }

    [Fact]
    public void AnImageHasTheSameBitsAloneAmongOthersAndWithoutItsEmptySlots()
    {
        using var golden = new MllamaGolden();
        MllamaVision vision = golden.Model.Vision!;
        var dark = new MllamaImage(new float[golden.Image.Pixels.Length], 6, [true, true, true, true]);
        float[] alone, other, both, packed;
        using (var ops = new CpuOps(1))
        {
            alone = MllamaGolden.Read(ops, vision.Forward(ops, [golden.Image]));
            other = MllamaGolden.Read(ops, vision.Forward(ops, [dark]));
        }

        using (var ops = new CpuOps(3))
        {
            both = MllamaGolden.Read(ops, vision.Forward(ops, [dark, golden.Image]));
            packed = MllamaGolden.Read(ops, vision.With(ops.Pack).Forward(ops, [golden.Image]));
        }

        Assert.Equal([.. other, .. alone], both);
        Assert.Equal(alone, packed);

        // The slot that is not used holds zeros.
        Assert.All(golden.Image.Pixels[^(3 * 28 * 28)..].ToArray(), static x => Assert.Equal(0, x));
        using var third = new CpuOps(2);
        Assert.Equal(alone, MllamaGolden.Read(third, vision.Forward(third, [golden.Image with { Pixels = golden.Image.Pixels[..^(3 * 28 * 28)] }])));
    }
}
