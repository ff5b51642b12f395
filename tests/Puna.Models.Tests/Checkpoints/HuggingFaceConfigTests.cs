using Puna.Models.Checkpoints;
using Puna.Tensors;

namespace Puna.Models.Tests.Checkpoints;

public sealed class HuggingFaceConfigTests : IDisposable
{
    private const string Start = """
        "model_type": "llama", "hidden_size": 64, "intermediate_size": 176, "num_hidden_layers": 2, "num_attention_heads": 8, "vocab_size": 320
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("puna-config-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void DefaultsAreThoseOfTheReference()
    {
        LlamaConfig config = Read("");
        Assert.Equal((8, 8, 2048, 1e-6f, 1e4, false), (config.KvHeads, config.HeadDim, config.ContextLength, config.NormEpsilon, config.RopeTheta, config.TiedEmbeddings));
        Assert.IsType<RopeScaling.None>(config.RopeScaling);
    }

    /// <summary>Null is what older versions write for a key that has its default; numbers may be written in any form.</summary>
    [Fact]
    public void NullsAndOtherFormsOfNumbersAreRead()
    {
        LlamaConfig config = Read(""", "num_key_value_heads": null, "head_dim": null, "rope_scaling": null, "rope_theta": 1e6, "max_position_embeddings": 8.192e3, "eos_token_id": null""");
        Assert.Equal((8, 8, 8192, 1e6), (config.KvHeads, config.HeadDim, config.ContextLength, config.RopeTheta));
        Assert.Empty(config.EosIds);
    }

    [Fact]
    public void BothFormsOfRotarySettingsAreRead()
    {
        const string Llama3 = """ "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 8192, "rope_type": "llama3" """;
        LlamaConfig old = Read($$""", "rope_theta": 500000.0, "rope_scaling": { {{Llama3}} }""");
        LlamaConfig newer = Read($$""", "rope_parameters": { "rope_theta": 500000.0, {{Llama3}} }""");
        Assert.Equal(new RopeScaling.Llama3(8, 1, 4, 8192), old.RopeScaling);
        Assert.Equal((old.RopeTheta, old.RopeScaling), (newer.RopeTheta, newer.RopeScaling));
        Assert.Equal(500000, newer.RopeTheta);
        // Where a file has both, the newer form counts.
        Assert.Equal(7, Read(""", "rope_theta": 3, "rope_parameters": { "rope_theta": 7, "rope_type": "default" }""").RopeTheta);
    }

    [Fact]
    public void LegacyKeyNamesTheScalingToo() =>
        Assert.Equal(new RopeScaling.Linear(4), Read(""", "rope_scaling": { "type": "linear", "factor": 4 }""").RopeScaling);

    [Fact]
    public void YarnMagnitudeFollowsTheRules()
    {
        RopeScaling.Yarn Yarn(string more) => (RopeScaling.Yarn)Read($$""", "rope_scaling": { "rope_type": "yarn", "factor": 4 {{more}} }""").RopeScaling;
        Assert.Equal((0.1 * Math.Log(4)) + 1, Yarn("").Magnitude, 1e-12);
        Assert.Equal(1.5, Yarn(""", "attention_factor": 1.5""").Magnitude);
        Assert.Equal(((0.2 * Math.Log(4)) + 1) / ((0.1 * Math.Log(4)) + 1), Yarn(""", "mscale": 2, "mscale_all_dim": 1""").Magnitude, 1e-12);
        Assert.Equal((2048, 32.0, 1.0, true), (Yarn("").OriginalContext, Yarn("").BetaFast, Yarn("").BetaSlow, Yarn("").Truncate));
    }

    [Fact]
    public void EndOfTextIdsComeFromTheGenerationSettingsFirst()
    {
        Assert.Equal([2], Read(""", "eos_token_id": 2""").EosIds);
        Assert.Equal([5, 6], Read(""", "eos_token_id": [5, 6]""").EosIds);
        Assert.Equal([5, 600], Read(""", "eos_token_id": [5.0, 6e2]""").EosIds);
        File.WriteAllText(Path.Combine(_folder, "generation_config.json"), """{"eos_token_id": [7, 8]}""");
        Assert.Equal([7, 8], Read(""", "eos_token_id": 2""").EosIds);
    }

    [Fact]
    public void OtherModelTypesWithTheSameArithmeticAreRead()
    {
        const string Named = """, "num_key_value_heads": 2, "max_position_embeddings": 128""";
        Assert.True(Read(""", "model_type": "qwen2" """ + Named).QkvBias);
        Assert.False(Read(""", "model_type": "qwen2" """ + Named).AttentionOutputBias);
        Assert.False(Read(""", "model_type": "mistral", "sliding_window": null""" + Named).QkvBias);
        Assert.Equal((2, 128), (Read(""", "model_type": "mistral" """ + Named).KvHeads, Read(""", "model_type": "mistral" """ + Named).ContextLength));
        Assert.True(Read(""", "attention_bias": true""").AttentionOutputBias);
    }

    [Theory]
    [InlineData(""", "model_type": "gemma2" """, "model_type", "gemma2")]
    [InlineData(""", "model_type": "mistral", "sliding_window": 1024""", "sliding_window", "1024")]
    [InlineData(""", "hidden_act": "gelu" """, "hidden_act", "gelu")]
    [InlineData(""", "num_local_experts": 8""", "num_local_experts", "8")]
    [InlineData(""", "quantization_config": {"quant_method": "gptq"}""", "quantization_config", "gptq")]
    [InlineData(""", "partial_rotary_factor": 0.5""", "partial_rotary_factor", "0.5")]
    [InlineData(""", "model_type": "mistral", "num_key_value_heads": 2, "max_position_embeddings": 8192""", "sliding_window", "none")]
    [InlineData(""", "model_type": "mistral", "sliding_window": null, "max_position_embeddings": 8192""", "num_key_value_heads", "mistral")]
    [InlineData(""", "model_type": "mistral", "sliding_window": null, "num_key_value_heads": 2""", "max_position_embeddings", "mistral")]
    [InlineData(""", "model_type": "qwen2", "max_position_embeddings": 128""", "num_key_value_heads", "qwen2")]
    [InlineData(""", "model_type": "qwen2", "use_sliding_window": true, "num_key_value_heads": 2, "max_position_embeddings": 8192""", "sliding_window", "none")]
    [InlineData(""", "model_type": "qwen2", "attention_bias": true, "num_key_value_heads": 2, "max_position_embeddings": 128""", "attention_bias", "true")]
    [InlineData(""", "is_causal": false""", "is_causal", "false")]
    [InlineData(""", "rope_parameters": {"partial_rotary_factor": 0.5}""", "rope_parameters.partial_rotary_factor", "0.5")]
    [InlineData(""", "rope_scaling": {"rope_type": "linear", "factor": 2, "partial_rotary_factor": 0.25}""", "rope_scaling.partial_rotary_factor", "0.25")]
    [InlineData(""", "rope_parameters": {"full_attention": {"rope_type": "linear", "factor": 2}}""", "full_attention", "linear")]
    [InlineData(""", "rope_scaling": {"rope_type": "linear", "factor": 2, "rope_theta": 7}""", "rope_scaling.rope_theta", "7")]
    [InlineData(""", "rope_theta": 1e300""", "rope theta", "1E+300")]
    [InlineData(""", "rope_theta": 1e-300""", "rope theta", "1E-300")]
    [InlineData(""", "rope_theta": 0""", "rope theta", "0")]
    [InlineData(""", "rope_theta": 1e-40, "head_dim": 64""", "rotary frequency", "per position")]
    [InlineData(""", "rope_theta": 1, "rope_scaling": {"rope_type": "yarn", "factor": 2}""", "rope theta", "1")]
    [InlineData(""", "rope_scaling": {"rope_type": "linear", "factor": 1e-50}""", "factor", "1E-50")]
    [InlineData(""", "rope_scaling": {"rope_type": "linear", "factor": 1e50}""", "factor", "1E+50")]
    [InlineData(""", "rope_scaling": {"rope_type": "dynamic", "factor": -2}""", "factor", "-2")]
    [InlineData(""", "rope_scaling": {"rope_type": "dynamic", "factor": 2}, "head_dim": 2""", "head size", "2")]
    [InlineData(""", "rope_scaling": {"rope_type": "llama3", "factor": 8, "low_freq_factor": 0, "high_freq_factor": 4}""", "low_freq_factor", "0")]
    [InlineData(""", "rope_scaling": {"rope_type": "llama3", "factor": 8, "low_freq_factor": 1, "high_freq_factor": -4}""", "high_freq_factor", "-4")]
    [InlineData(""", "rope_scaling": {"rope_type": "llama3", "factor": 8, "low_freq_factor": 1, "high_freq_factor": 4, "original_max_position_embeddings": 0}""", "original_max_position_embeddings", "0")]
    [InlineData(""", "rope_scaling": {"rope_type": "yarn", "factor": 2, "beta_fast": -1}""", "beta_fast", "-1")]
    [InlineData(""", "rope_scaling": {"rope_type": "yarn", "factor": 2, "beta_slow": -1}""", "beta_slow", "-1")]
    [InlineData(""", "rope_scaling": {"rope_type": "yarn", "factor": 2, "beta_fast": 1, "beta_slow": 2}""", "beta_fast", "1")]
    [InlineData(""", "rope_scaling": {"rope_type": "yarn", "factor": 2, "attention_factor": -1}""", "attention factor", "-1")]
    [InlineData(""", "rope_scaling": {"rope_type": "yarn", "factor": 100, "mscale": -50, "mscale_all_dim": 1}""", "attention factor", "-")]
    [InlineData(""", "max_position_embeddings": 2000000000""", "context length", "2000000000")]
    [InlineData(""", "rms_norm_eps": 1e300""", "norm epsilon", "Infinity")]
    [InlineData(""", "vocab_size": 2147483647""", "vocabulary", "2147483647")]
    [InlineData(""", "rope_scaling": {"rope_type": "longrope", "factor": 4}""", "rope_type", "longrope")]
    [InlineData(""", "rope_scaling": {"rope_type": "linear", "factor": 0}""", "factor", "0")]
    [InlineData(""", "layer_types": ["full_attention", "sliding_attention"]""", "layer_types", "sliding")]
    [InlineData(""", "num_attention_heads": 7""", "num_attention_heads", "7")]
    [InlineData(""", "num_key_value_heads": 3""", "heads", "3")]
    [InlineData(""", "hidden_size": "64" """, "hidden_size", "64")]
    [InlineData(""", "hidden_size": -64""", "hidden size", "-64")]
    [InlineData(""", "num_hidden_layers": 1000000000""", "layers", "1000000000")]
    [InlineData(""", "head_dim": 7""", "head size", "7")]
    [InlineData(""", "architectures": ["LlamaForTokenClassification"]""", "architectures", "TokenClassification")]
    public void WhatIsNotUnderstoodIsRefusedByName(string more, string setting, string value)
    {
        PunaException e = Assert.ThrowsAny<PunaException>(() => Read(more));
        Assert.Contains(setting, e.Message, StringComparison.Ordinal);
        Assert.Contains(value, e.Message, StringComparison.Ordinal);
        Assert.Contains("config.json", e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{")]
    [InlineData("{\"hidden_size\": 64}")]
    [InlineData("null")]
    public void WhatIsNoConfigIsRefused(string json)
    {
        File.WriteAllText(Path.Combine(_folder, "config.json"), json);
        Assert.ThrowsAny<PunaException>(() => HuggingFaceConfig.Read(Path.Combine(_folder, "config.json")));
    }

    [Theory]
    [InlineData(@"{""\ud800"": 1, ""hidden_size"": 64}")]
    [InlineData(@"{""model_type"": ""\ud800""}")]
    [InlineData(@"{""unused"": [{""a"": ""\udc00 b""}]}")]
    public void StringsThatAreNoUnicodeAreRefused(string json)
    {
        File.WriteAllText(Path.Combine(_folder, "config.json"), json);
        FileFormatException e = Assert.Throws<FileFormatException>(() => HuggingFaceConfig.Read(Path.Combine(_folder, "config.json")));
        Assert.DoesNotContain('\n', e.Message);
    }

    [Fact]
    public void BytesThatAreNoUtf8AreRefused()
    {
        File.WriteAllBytes(Path.Combine(_folder, "config.json"), [.. "{\"unused\": \""u8, 0xFF, .. "\"}"u8]);
        Assert.Contains("UTF-8", Assert.Throws<FileFormatException>(() => HuggingFaceConfig.Read(Path.Combine(_folder, "config.json"))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AByteOrderMarkAndRepeatedKeysAreAccepted()
    {
        File.WriteAllText(Path.Combine(_folder, "config.json"), "\uFEFF{" + Start + ", \"vocab_size\": 7}");
        Assert.Equal(7, HuggingFaceConfig.Read(Path.Combine(_folder, "config.json")).Vocab);
    }

    private LlamaConfig Read(string more)
    {
        string file = Path.Combine(_folder, "config.json");
        File.WriteAllText(file, Merge(more));
        return HuggingFaceConfig.Read(file);
    }

    /// <summary>Settings given replace those of the start.</summary>
    private static string Merge(string more)
    {
        var settings = (System.Text.Json.Nodes.JsonObject)System.Text.Json.Nodes.JsonNode.Parse("{" + Start + "}")!;
        foreach ((string key, System.Text.Json.Nodes.JsonNode? value) in (System.Text.Json.Nodes.JsonObject)System.Text.Json.Nodes.JsonNode.Parse("{" + more.TrimStart(' ', ',') + "}")!)
        {
            settings[key] = value?.DeepClone();
        }

        return settings.ToJsonString();
    }
}
