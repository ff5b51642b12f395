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
    [InlineData("llama-3.3-70b", 70_553_706_496)]
    public void ParameterCountsAreThePublishedOnes(string name, long parameters)
    {
        LlamaConfig config = LlamaPresets.All[name].Validate(name);
        Assert.Equal(parameters, config.ParameterCount);
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
