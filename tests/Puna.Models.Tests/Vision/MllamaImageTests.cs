using Puna.Models.Vision;
using Puna.Tensors;

namespace Puna.Models.Tests.Vision;

/// <summary>What the encoder takes, and what it refuses in one line.</summary>
public sealed class MllamaImageTests
{
    private static readonly MllamaConfig _config = new()
    {
        CrossLayers = [1], ImageToken = 9, Hidden = 8, Ffn = 8, Heads = 2, LocalLayers = 2, GlobalLayers = 1, Taps = [1], ImageSize = 4, PatchSize = 2,
    };

    [Fact]
    public void LayoutsHaveTheIdsOfTheReference()
    {
        // Spec llama1-3.md 4.1: 1 + index in [(1,1),(1,2),(1,3),(1,4),(2,1),(2,2),(3,1),(4,1)] read as (height, width).
        foreach ((int height, int width, int id) in new[] { (1, 1, 1), (1, 2, 2), (1, 3, 3), (1, 4, 4), (2, 1, 5), (2, 2, 6), (3, 1, 7), (4, 1, 8) })
        {
            MllamaImage image = MllamaImage.Of(_config, new float[height * width * 48], height, width);
            Assert.Equal(id, image.AspectRatio);
            Assert.Equal(height * width, image.IsUsed.Count(static x => x));
            Assert.Equal(id, new TileGrid(height, width).AspectRatioId(4));
        }
    }

    [Fact]
    public void WhatDoesNotFitIsRefused()
    {
        bool[] first = [true, false, false, false];
        Assert.Equal(
            "image: expected tiles in one of the layouts 1x1, 1x2, 1x3, 1x4, 2x1, 2x2, 3x1, 4x1, got 2x3",
            Assert.Throws<PunaException>(() => MllamaImage.Of(_config, new float[48], 2, 3)).Message);
        Assert.Equal("image: expected 2 to 4 tiles of 3 x 4 x 4 values, got 48 values", Refused(new MllamaImage(new float[48], 2, [true, true, false, false])));
        Assert.Equal("image: expected 1 to 4 tiles of 3 x 4 x 4 values, got 47 values", Refused(new MllamaImage(new float[47], 1, first)));
        Assert.Equal("image: expected 1 to 4 tiles of 3 x 4 x 4 values, got 240 values", Refused(new MllamaImage(new float[240], 1, first)));
        Assert.Equal("image: expected a mask of 4 tile slots with a tile in it, got [0, 0, 0, 0]", Refused(new MllamaImage(new float[48], 1, new bool[4])));
        Assert.Equal("aspect ratio id: expected 0 to 8, got 9", Refused(new MllamaImage(new float[48], 9, first)));
        Assert.Equal("aspect ratio id: expected 1 to 8, got 0", Assert.Throws<PunaException>(() => new MllamaImage(new float[48], 0, first).Check(_config with { HasCellTables = true })).Message);

        static string Refused(MllamaImage image) => Assert.Throws<PunaException>(() => image.Check(_config)).Message;
    }

    [Theory]
    [InlineData("vision heads: expected heads of an even number of values, got 8 for 8")]
    [InlineData("image size: expected a multiple of the patch size 2, got 5")]
    [InlineData("vision taps: expected numbers below 2 that rise, got 1, 1")]
    [InlineData("cross-attention layers: expected numbers below 5 that rise, got 5")]
    [InlineData("cross-attention layers: expected 1 to 10000, got 0")]
    [InlineData("aspect ratios: expected at most 4 tiles, got (3, 2)")]
    public void ConfigsThatCannotBeAreNamed(string problem)
    {
        MllamaConfig config = problem.Split(':')[0] switch
        {
            "vision heads" => _config with { Heads = 8 },
            "image size" => _config with { ImageSize = 5 },
            "vision taps" => _config with { Taps = [1, 1] },
            "aspect ratios" => _config with { AspectRatios = [(3, 2)] },
            _ => _config with { CrossLayers = problem.EndsWith('0') ? [] : [5] },
        };
        LlamaConfig text = LlamaPresets.All["llama-2-7b"] with { Layers = 4 };
        (text with { Vision = _config }).Validate("here");
        Assert.Equal($"{problem} (here)", Assert.Throws<PunaException>(() => (text with { Vision = config }).Validate("here")).Message);
    }
}
