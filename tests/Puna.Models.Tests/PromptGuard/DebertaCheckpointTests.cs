using System.Text.Json.Nodes;
using Puna.Models.PromptGuard;
using Puna.Tensors;
using Puna.Tests.Shared;

namespace Puna.Models.Tests.PromptGuard;

public sealed class DebertaCheckpointTests
{
    private static string Golden => TestFiles.Fixture("goldens", "prompt-guard");

    [Fact]
    public void KnowsItsFolders()
    {
        Assert.True(DebertaCheckpoint.IsIn(Golden));
        Assert.True(DebertaCheckpoint.IsIn(Path.Combine(Golden, "model.safetensors")));
        Assert.False(DebertaCheckpoint.IsIn(TestFiles.Fixture("goldens", "llama2-gqa")));
        Assert.False(DebertaCheckpoint.IsIn(TestFiles.EmbeddedModel));
        Assert.False(DebertaCheckpoint.IsIn("no such folder"));
    }

    [Fact]
    public void NamesOfLabelsComeFromTheFile() => With(
        static json => json["id2label"] = new JsonObject { ["0"] = "BENIGN", ["1"] = "JAILBREAK" },
        static folder =>
        {
            using DebertaCheckpoint checkpoint = DebertaCheckpoint.Open(folder);
            Assert.Equal(["BENIGN", "JAILBREAK"], checkpoint.Config.Labels);
        });

    [Fact]
    public void KindsOfPositionsMayBeOneString() => With(static json => json["pos_att_type"] = "c2p|p2c", static folder => DebertaCheckpoint.Open(folder).Dispose());

    [Theory]
    [InlineData("hidden_act", "\"relu\"", "setting hidden_act: expected gelu, got \"relu\"")]
    [InlineData("relative_attention", "false", "setting relative_attention: expected true, got false")]
    [InlineData("share_att_key", "false", "setting share_att_key: expected true, got false")]
    [InlineData("position_biased_input", "true", "setting position_biased_input: expected false, got true")]
    [InlineData("pos_att_type", "[\"c2p\"]", "setting pos_att_type: expected p2c and c2p, got")]
    [InlineData("type_vocab_size", "2", "setting type_vocab_size: expected 0, got 2")]
    [InlineData("num_attention_heads", "5", "setting num_attention_heads: expected a divisor of the hidden size 48, got 5")]
    [InlineData("position_buckets", "500", "setting position_buckets: expected from 2 up to less than twice the longest distance 63, got 500")]
    [InlineData("position_buckets", "1073741824", "setting position_buckets: expected at most 16777216, got 1073741824")]
    [InlineData("max_relative_positions", "2147483647", "setting max_relative_positions: expected at most 16777216, got 2147483647")]
    [InlineData("layer_norm_eps", "-1", "setting layer_norm_eps: expected a small positive number, got -1")]
    [InlineData("layer_norm_eps", "1e39", "setting layer_norm_eps: expected a small positive number, got 1e39")]
    [InlineData("vocab_size", "401", "tensor deberta.embeddings.word_embeddings.weight: expected [401, 48], got [400, 48]")]
    [InlineData("num_hidden_layers", "4", "tensor deberta.encoder.layer.3.attention.self.query_proj.weight: expected [48, 48], got no such tensor")]
    [InlineData("num_hidden_layers", "2", "tensor deberta.encoder.layer.2.attention.output.LayerNorm.bias: expected only a DeBERTa classifier's tensors")]
    [InlineData("num_hidden_layers", "0", "setting num_hidden_layers: expected 1 to 16777216, got 0")]
    public void WhatDoesNotFitIsRefusedByName(string key, string value, string message) => With(
        json => json[key] = JsonNode.Parse(value),
        folder => Assert.Contains(message, Assert.ThrowsAny<PunaException>(() => DebertaCheckpoint.Open(folder)).Message, StringComparison.Ordinal));

    /// <summary>A classifier without values may claim any number of labels; names for them are not made up.</summary>
    [Theory]
    [InlineData("[2147483647,0]")]
    [InlineData("[8589934592,0]")]
    [InlineData("[0,48]")]
    [InlineData("[0]")]
    public void LabelsAreCountedBeforeTheyAreNamed(string shape) => With(static _ => { }, folder =>
    {
        byte[] header = System.Text.Encoding.UTF8.GetBytes($"{{\"classifier.weight\":{{\"dtype\":\"F32\",\"shape\":{shape},\"data_offsets\":[0,0]}}}}");
        File.WriteAllBytes(Path.Combine(folder, "model.safetensors"), [.. BitConverter.GetBytes((long)header.Length), .. header]);
        Assert.Contains("tensor classifier.weight: expected a matrix of 1 to 1024 rows", Assert.ThrowsAny<PunaException>(() => DebertaCheckpoint.Open(folder)).Message, StringComparison.Ordinal);
    });

    private static void With(Action<JsonObject> change, Action<string> run)
    {
        string folder = Directory.CreateTempSubdirectory("puna-deberta").FullName;
        try
        {
            JsonObject json = JsonNode.Parse(File.ReadAllText(Path.Combine(Golden, "config.json")))!.AsObject();
            change(json);
            File.WriteAllText(Path.Combine(folder, "config.json"), json.ToJsonString());
            File.Copy(Path.Combine(Golden, "model.safetensors"), Path.Combine(folder, "model.safetensors"));
            run(folder);
        }
        finally
        {
            Directory.Delete(folder, true);
        }
    }
}
