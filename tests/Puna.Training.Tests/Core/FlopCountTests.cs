using Puna.Models;
using Puna.Training.Core;

namespace Puna.Training.Tests.Core;

public sealed class FlopCountTests
{
    /// <summary>What a token meets in the blocks: all parameters of the published shapes but embedding, output layer, norms, and experts it is not sent to.</summary>
    [Theory]
    [InlineData("llama-3.1-8b")]
    [InlineData("llama-4-scout")]
    [InlineData("llama-4-maverick")]
    public void BlocksCountWhatATokenMeets(string preset)
    {
        LlamaConfig config = LlamaPresets.Find(preset)!;
        long norms = ((2L * config.Layers) + 1) * config.Hidden;
        Assert.Equal(config.ActiveParameterCount - (2L * config.Vocab * config.Hidden) - norms, FlopCount.BlockParameters(config));
    }
}
