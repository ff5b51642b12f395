using Puna.Models.Vision;

namespace Puna.Models.Tests;

public sealed class LlamaPresetsTests
{
    /// <summary>Counts published with the models or computed from their published shapes (spec llama1-3.md 1.2).</summary>
    [Theory]
    [InlineData("llama-1-7b", 6_738_415_616)]
    [InlineData("llama-1-13b", 13_015_864_320)]
    [InlineData("llama-1-33b", 32_528_943_616)]
    [InlineData("llama-1-65b", 65_285_660_672)]
    [InlineData("llama-2-7b", 6_738_415_616)]
    [InlineData("llama-2-13b", 13_015_864_320)]
    [InlineData("llama-2-70b", 68_976_648_192)]
    [InlineData("code-llama-7b", 6_738_546_688)]
    [InlineData("code-llama-13b", 13_016_028_160)]
    [InlineData("code-llama-7b-python", 6_738_415_616)]
    [InlineData("code-llama-13b-python", 13_015_864_320)]
    [InlineData("code-llama-34b", 33_743_970_304)]
    [InlineData("code-llama-70b", 68_976_910_336)]
    [InlineData("code-llama-70b-instruct", 68_976_910_336)]
    [InlineData("code-llama-70b-python", 68_976_910_336)]
    [InlineData("llama-3-8b", 8_030_261_248)]
    [InlineData("llama-3-70b", 70_553_706_496)]
    [InlineData("llama-3.1-8b", 8_030_261_248)]
    [InlineData("llama-3.1-70b", 70_553_706_496)]
    [InlineData("llama-3.1-405b", 405_853_388_800)]
    [InlineData("llama-3.2-1b", 1_235_814_400)]
    [InlineData("llama-3.2-3b", 3_212_749_824)]
    [InlineData("llama-3.2-11b-vision", 10_642_941_475)]
    [InlineData("llama-3.2-11b-vision-instruct", 10_670_220_835)]
    [InlineData("llama-3.2-90b-vision", 88_593_355_323)]
    [InlineData("llama-3.3-70b", 70_553_706_496)]
    [InlineData("llama-4-scout", 107_769_861_120)]
    [InlineData("llama-4-maverick", 400_711_848_960)]
    public void ParameterCountsAreThePublishedOnes(string name, long parameters)
    {
        LlamaConfig config = LlamaPresets.All[name].Validate(name);
        Assert.Equal(parameters, config.ParameterCount);
    }

    /// <summary>The other columns of spec llama1-3.md 1.2 with 1.4 and the errata of 1.6: those that no parameter count shows.</summary>
    [Theory]
    [InlineData("llama-1-7b", 32, 4096, 32, 32, 11008, 32000, 2048, 1e-6f, 1e4, 0)]
    [InlineData("llama-1-13b", 40, 5120, 40, 40, 13824, 32000, 2048, 1e-6f, 1e4, 0)]
    [InlineData("llama-1-33b", 60, 6656, 52, 52, 17920, 32000, 2048, 1e-6f, 1e4, 0)]
    [InlineData("llama-1-65b", 80, 8192, 64, 64, 22016, 32000, 2048, 1e-6f, 1e4, 0)]
    [InlineData("llama-2-7b", 32, 4096, 32, 32, 11008, 32000, 4096, 1e-5f, 1e4, 0)]
    [InlineData("llama-2-13b", 40, 5120, 40, 40, 13824, 32000, 4096, 1e-5f, 1e4, 0)]
    [InlineData("llama-2-70b", 80, 8192, 64, 8, 28672, 32000, 4096, 1e-5f, 1e4, 0)]
    [InlineData("code-llama-7b", 32, 4096, 32, 32, 11008, 32016, 16384, 1e-5f, 1e6, 0)]
    [InlineData("code-llama-13b", 40, 5120, 40, 40, 13824, 32016, 16384, 1e-5f, 1e6, 0)]
    [InlineData("code-llama-7b-python", 32, 4096, 32, 32, 11008, 32000, 16384, 1e-5f, 1e6, 0)]
    [InlineData("code-llama-13b-python", 40, 5120, 40, 40, 13824, 32000, 16384, 1e-5f, 1e6, 0)]
    [InlineData("code-llama-34b", 48, 8192, 64, 8, 22016, 32000, 16384, 1e-5f, 1e6, 0)]
    [InlineData("code-llama-70b", 80, 8192, 64, 8, 28672, 32016, 16384, 1e-5f, 1e6, 0)]
    [InlineData("code-llama-70b-instruct", 80, 8192, 64, 8, 28672, 32016, 4096, 1e-5f, 1e4, 0)]
    [InlineData("code-llama-70b-python", 80, 8192, 64, 8, 28672, 32016, 4096, 1e-5f, 1e4, 0)]
    [InlineData("llama-3-8b", 32, 4096, 32, 8, 14336, 128256, 8192, 1e-5f, 5e5, 0)]
    [InlineData("llama-3-70b", 80, 8192, 64, 8, 28672, 128256, 8192, 1e-5f, 5e5, 0)]
    [InlineData("llama-3.1-8b", 32, 4096, 32, 8, 14336, 128256, 131072, 1e-5f, 5e5, 8)]
    [InlineData("llama-3.1-70b", 80, 8192, 64, 8, 28672, 128256, 131072, 1e-5f, 5e5, 8)]
    [InlineData("llama-3.1-405b", 126, 16384, 128, 8, 53248, 128256, 131072, 1e-5f, 5e5, 8)]
    [InlineData("llama-3.2-1b", 16, 2048, 32, 8, 8192, 128256, 131072, 1e-5f, 5e5, 32)]
    [InlineData("llama-3.2-3b", 28, 3072, 24, 8, 8192, 128256, 131072, 1e-5f, 5e5, 32)]
    [InlineData("llama-3.3-70b", 80, 8192, 64, 8, 28672, 128256, 131072, 1e-5f, 5e5, 8)]
    public void ShapesAreThePublishedOnes(string name, int layers, int hidden, int heads, int kvHeads, int ffn, int vocab, int context, float epsilon, double theta, int factor)
    {
        LlamaConfig config = LlamaPresets.All[name];
        Assert.Equal((layers, hidden, heads, kvHeads, ffn, vocab), (config.Layers, config.Hidden, config.Heads, config.KvHeads, config.Ffn, config.Vocab));
        Assert.Equal((context, epsilon, theta), (config.ContextLength, config.NormEpsilon, config.RopeTheta));
        Assert.Equal(name == "llama-3.2-1b" ? 64 : 128, config.HeadDim);
        Assert.Equal(factor == 0 ? new RopeScaling.None() : new RopeScaling.Llama3(factor, 1, 4, 8192), config.RopeScaling);
        Assert.Equal(name is "llama-3.2-1b" or "llama-3.2-3b", config.TiedEmbeddings);
        Assert.False(config.QkvBias || config.AttentionOutputBias || config.MlpBias);
        Assert.Equal(vocab == 128256 ? 128000 : 1, config.BosId);
        Assert.Equal(vocab != 128256 ? [2] : factor == 0 ? [128001, 128009] : [128001, 128008, 128009], config.EosIds);
    }

    /// <summary>
    /// The published 109B, 400B and 17B (Meta AI, "The Llama 4 herd", 2025-04-05; spec llama4.md 2.4). The published totals count the vision encoder, its adapter and projection too.
    /// </summary>
    [Theory]
    [InlineData("llama-4-scout", 109, 108_641_793_536, 17_172_894_720)]
    [InlineData("llama-4-maverick", 400, 401_583_781_376, 17_184_691_200)]
    public void Llama4TotalsAndActiveParametersAreThePublishedOnes(string name, int published, long whole, long active)
    {
        const long Vision = 811_115_008 + 39_845_888 + 20_971_520;
        LlamaConfig config = LlamaPresets.All[name];
        Assert.Equal(whole, config.ParameterCount + Vision);
        Assert.Equal(active, config.ActiveParameterCount);
        Assert.InRange(whole / 1e9, published * 0.995, published * 1.005);
        Assert.Equal(17, Math.Round(active / 1e9));
    }

    /// <summary>Spec llama4.md 2.1 and 2.2.</summary>
    [Theory]
    [InlineData("llama-4-scout", 16, 48, 10485760, true)]
    [InlineData("llama-4-maverick", 128, 24, 1048576, false)]
    public void Llama4ShapesAreThePublishedOnes(string name, int experts, int expertLayers, int context, bool isScout)
    {
        LlamaConfig config = LlamaPresets.All[name];
        Llama4Config four = config.Llama4!;
        Assert.Equal((48, 5120, 40, 8, 128, 16384, 202048), (config.Layers, config.Hidden, config.Heads, config.KvHeads, config.HeadDim, config.Ffn, config.Vocab));
        Assert.Equal((context, 1e-5f, 5e5), (config.ContextLength, config.NormEpsilon, config.RopeTheta));
        Assert.Equal((experts, 1, 8192, 8192, isScout), (four.Experts, four.ExpertsPerToken, four.ExpertFfn, four.ChunkSize, four.QkNorm));
        Assert.Equal(expertLayers, four.HasExperts.Count(static x => x));
        Assert.Equal([3, 7, 11, 15, 19, 23, 27, 31, 35, 39, 43, 47], Enumerable.Range(0, 48).Where(i => !four.IsRotary[i]));
        Assert.Equal(four.IsRotary, four.IsLocal);
        Assert.Equal(isScout, four.HasExperts[0]);
        Assert.Equal(isScout ? new RopeScaling.Llama3(16, 1, 1, 8192) : new RopeScaling.None(), config.RopeScaling);
        Assert.Null(LlamaPresets.Find("llama-4-behemoth"));
    }

    /// <summary>Spec llama1-3.md 1.3, 4.3 and 4.9. Meta's files have tables by row and column of a tile, which are smaller.</summary>
    [Theory]
    [InlineData("llama-3.2-11b-vision", 448, 1025, 8, 10_616_650_275)]
    [InlineData("llama-3.2-11b-vision-instruct", 560, 1601, 8, 10_629_184_035)]
    [InlineData("llama-3.2-90b-vision", 560, 1601, 20, 88_552_318_523)]
    public void VisionShapesAreThePublishedOnes(string name, int side, int tokens, int crossLayers, long meta)
    {
        LlamaConfig config = LlamaPresets.All[name];
        MllamaConfig vision = config.Vision!;
        Assert.Equal((side, 14, tokens, 4, 128256, 128264), (vision.ImageSize, vision.PatchSize, vision.TileTokens, vision.MaxTiles, vision.ImageToken, config.InputVocab));
        Assert.Equal((1280, 16, 5120, 32, 8, 7680), (vision.Hidden, vision.Heads, vision.Ffn, vision.LocalLayers, vision.GlobalLayers, vision.OutputWidth));
        Assert.Equal(Enumerable.Range(0, crossLayers).Select(static j => 3 + (5 * j)), vision.CrossLayers);
        Assert.Equal([3, 7, 15, 23, 30], vision.Taps);
        Assert.Equal(new RopeScaling.Llama3(8, 1, 4, 8192), config.RopeScaling);
        Assert.Equal(meta, (config with { Vision = vision with { HasCellTables = true } }).ParameterCount);
        Assert.Equal(crossLayers == 8 ? 906 : 906 + (48 * 9) + (12 * 13), config.Parameters().Count());
    }

    [Fact]
    public void EveryPresetHasItsCountAsserted()
    {
        var asserted = typeof(LlamaPresetsTests).GetMethod(nameof(ParameterCountsAreThePublishedOnes))!
            .GetCustomAttributes(typeof(InlineDataAttribute), false).Length;
        Assert.Equal(LlamaPresets.All.Count, asserted);
    }

    /// <summary>Feed-forward widths of spec llama1-3.md 1.1 and 1.2.</summary>
    [Theory]
    [InlineData(4096, 256, null, 11008)]
    [InlineData(5120, 256, null, 13824)]
    [InlineData(6656, 256, null, 17920)]
    [InlineData(8192, 256, null, 22016)]
    [InlineData(8192, 4096, 1.3, 28672)]
    [InlineData(8192, 256, 1.0, 22016)]
    [InlineData(4096, 1024, 1.3, 14336)]
    [InlineData(16384, 4096, 1.2, 53248)]
    [InlineData(2048, 256, 1.5, 8192)]
    [InlineData(3072, 256, 1.0, 8192)]
    public void FeedForwardWidthFollowsMetasRule(int hidden, int multipleOf, double? multiplier, int expected) =>
        Assert.Equal(expected, LlamaConfig.FfnWidth(hidden, multipleOf, multiplier));
}
