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

    /// <summary>As in converted checkpoints, whose tables hold zeros for slots that an aspect ratio does not use: their slots begin alike. As the oracle, the same without sharing, which the golden holds for the reference's.</summary>
    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 2)]
    [InlineData(5, 2)]
    [InlineData(3, 3)]
    [InlineData(6, 4)]
    public void EmptySlotsThatBeginAlikeAreComputedOnceWithTheSameBits(int ratio, int tiles)
    {
        using var golden = new MllamaGolden();
        MllamaConfig config = golden.Checkpoint.Config.Vision!;
        Llama model = Llama.Build(golden.Checkpoint.Config, golden.Checkpoint.RopeLayout, name => new Weight(name, WithoutUnused(name, golden.Checkpoint.GetTensor(name), config)));
        var image = new MllamaImage(golden.Image.Pixels[..(tiles * 3 * 28 * 28)], ratio, [.. Enumerable.Range(0, 4).Select(slot => slot < tiles)]);
        using var ops = new CpuOps(2);
        float[] shared = MllamaGolden.Read(ops, model.Vision!.Forward(ops, [golden.Image, image, image], shareEmpty: true));
        Assert.Equal(MllamaGolden.Read(ops, model.Vision!.Forward(ops, [golden.Image, image, image])), shared);
        Assert.Equal(MllamaGolden.Read(ops, model.Vision!.Encode(ops, [image])), MllamaGolden.Read(ops, model.Vision!.Encode(ops, [image], shareEmpty: true)));

        // What no slot shares is told apart: with other tables, and where pixels stand in a slot that is not used.
        Assert.Equal(MllamaGolden.Read(ops, golden.Model.Vision!.Forward(ops, [image])), MllamaGolden.Read(ops, golden.Model.Vision!.Forward(ops, [image], shareEmpty: true)));
        var full = image with { Pixels = golden.Image.Pixels.ToArray().Select(static (x, i) => x + (i % 5)).ToArray() };
        Assert.Equal(MllamaGolden.Read(ops, model.Vision!.Forward(ops, [full])), MllamaGolden.Read(ops, model.Vision!.Forward(ops, [full], shareEmpty: true)));
    }

    /// <summary>A tile has 17 tokens and 7 fillers, which begin as zeros: one of these is computed for each tile that is told apart.</summary>
    [Fact]
    public void RowsThatBeginAlikeAreLaidOutOnce()
    {
        using var golden = new MllamaGolden();
        MllamaConfig config = golden.Checkpoint.Config.Vision!;
        var image = new MllamaImage(new float[3 * 28 * 28], 1, [true, false, false, false]);
        var shared = new MllamaRows(config, [image, image], static (_, _) => 1);
        Assert.Equal(2 * ((2 * 17) + 2), shared.Count);
        Assert.Equal(2 * 4 * 24, shared.Keys!.Length);
        Assert.Equal(shared.Keys[17..34], shared.Keys[34..51]);
        Assert.Equal(shared.Keys[17..34], shared.Working[51..68]);
        Assert.Equal((17, 35, 36), (shared.Working[17], shared.Keys[(3 * 24) + 23], shared.Working[4 * 17]));
        Assert.Equal([0, 36, 72], shared.Plan.Starts.ToArray());
        Assert.Equal((96, 17, 96), (shared.Plan.KeyEnd[16], shared.Plan.KeyEnd[17], shared.Plan.KeyCount(1)));
        var apart = new MllamaRows(config, [image], static (_, slot) => slot);
        Assert.Equal((4 * 18, 4 * 24), (apart.Count, apart.Keys!.Length));
    }

    private static Tensor WithoutUnused(string name, Tensor tensor, MllamaConfig config)
    {
        bool isTable = name.EndsWith("tile_pos_embed.embedding", StringComparison.Ordinal) || name.EndsWith("gated_positional_embedding", StringComparison.Ordinal);
        Tensor copy = Tensor.Create(tensor.Shape);
        long perPlace = tensor.Rows / config.TablePlaces;
        for (long row = 0; row < tensor.Rows; row++)
        {
            long place = isTable ? row / perPlace : 0, ratio = place / config.MaxTiles;
            (int height, int width) = ratio > 0 ? config.AspectRatios[(int)ratio - 1] : (0, 0);
            if (!isTable || place % config.MaxTiles < height * width)
            {
                tensor.Row<float>(row).CopyTo(copy.Row<float>(row));
            }
        }

        return copy;
    }
}
