using Puna.Runtime.Sampling;
using Puna.Tensors;

namespace Puna.Runtime.Tests.Sampling;

public class SamplingOptionsTests
{
    public static TheoryData<string, SamplingOptions> Bad => new()
    {
        { "temperature: expected 0 or more, got NaN", new() { Temperature = double.NaN } },
        { "temperature: expected 0 or more, got -0.1", new() { Temperature = -0.1 } },
        { "temperature: expected 0 or more, got Infinity", new() { Temperature = double.PositiveInfinity } },
        { "top_k: expected 0 (all) or more, got -1", new() { TopK = -1 } },
        { "top_p: expected 0 to 1, got 1.5", new() { TopP = 1.5 } },
        { "top_p: expected 0 to 1, got -1", new() { TopP = -1 } },
        { "top_p: expected 0 to 1, got NaN", new() { TopP = double.NaN } },
        { "min_p: expected 0 to 1, got 2", new() { MinP = 2 } },
        { "min_p: expected 0 to 1, got NaN", new() { MinP = double.NaN } },
        { "repetition_penalty: expected more than 0, got 0", new() { RepetitionPenalty = 0 } },
        { "repetition_penalty: expected more than 0, got NaN", new() { RepetitionPenalty = double.NaN } },
        { "repetition_window: expected 0 or more, got -3", new() { RepetitionWindow = -3 } },
        { "presence_penalty: expected a finite number, got -Infinity", new() { PresencePenalty = double.NegativeInfinity } },
        { "frequency_penalty: expected a finite number, got NaN", new() { FrequencyPenalty = double.NaN } },
        { "logprobs: expected 0 or more, got -1", new() { LogProbs = -1 } },
        { "logit_bias: expected token ids of 0 or more, got -5", new() { LogitBias = new Dictionary<int, float> { [-5] = 1 } } },
        { "logit_bias of token 3: expected a finite number or -Infinity, got NaN", new() { LogitBias = new Dictionary<int, float> { [3] = float.NaN } } },
    };

    [Theory]
    [MemberData(nameof(Bad))]
    public void NamesTheBadOption(string message, SamplingOptions options)
    {
        Assert.Equal(message, Assert.Throws<PunaException>(options.Validate).Message);
        Assert.Equal(message, Assert.Throws<PunaException>(() => new Sampler(options, 10)).Message);
    }

    [Fact]
    public void EdgesAreFine()
    {
        new SamplingOptions().Validate();
        SamplingOptions.Greedy.Validate();
        SamplingOptions.MetaDefault.Validate();
        new SamplingOptions { TopP = 0, MinP = 1, TopK = int.MaxValue, RepetitionWindow = 0, LogProbs = 0, LogitBias = new Dictionary<int, float> { [0] = float.NegativeInfinity } }.Validate();
        Assert.Equal((0.6, 0.9), (SamplingOptions.MetaDefault.Temperature, SamplingOptions.MetaDefault.TopP));
    }
}
