using System.Text.Json;
using Puna.Models.Quantization;
using Puna.Tensors;
using Puna.Tests.Shared;

namespace Puna.Models.Tests.Quantization;

public class QuantizationMixTests
{
    /// <summary>Files that llama.cpp wrote: the type of every tensor.</summary>
    public static TheoryData<string> Files
    {
        get
        {
            using JsonDocument mixes = JsonDocument.Parse(File.ReadAllBytes(TestFiles.Fixture("quantization", "mixes.json")));
            return [.. mixes.RootElement.EnumerateObject().Select(p => p.Name)];
        }
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void GivesTheTypesOfLlamaCpp(string name)
    {
        using JsonDocument mixes = JsonDocument.Parse(File.ReadAllBytes(TestFiles.Fixture("quantization", "mixes.json")));
        JsonElement file = mixes.RootElement.GetProperty(name);
        Assert.True(FileTypes.TryParse(name.Split(' ')[^1], out FileType type));
        var model = new MixModel(
            file.GetProperty("layers").GetInt32(),
            file.GetProperty("heads").GetInt32(),
            file.GetProperty("kvHeads").GetInt32(),
            file.GetProperty("tied").GetBoolean());
        var mix = new QuantizationMix(type, model);
        foreach (JsonProperty tensor in file.GetProperty("tensors").EnumerateObject())
        {
            var shape = new Shape([.. tensor.Value[1].EnumerateArray().Select(e => e.GetInt64())]);
            Assert.Equal($"{tensor.Name} {tensor.Value[0].GetString()}", $"{tensor.Name} {mix.TypeOf(tensor.Name, shape)}");
        }
    }

    /// <summary>Rules by layer that the small files do not reach, written down by hand from the published mixes.</summary>
    [Theory]
    [InlineData(FileType.Q4_K_M, "attn_v", 32, 32, 8, "0-3 6 9 12 15 18 21 24 27-31", DType.Q6_K, DType.Q4_K)]
    [InlineData(FileType.Q4_K_M, "ffn_down", 32, 32, 8, "0-3 6 9 12 15 18 21 24 27-31", DType.Q6_K, DType.Q4_K)]
    [InlineData(FileType.Q5_K_M, "ffn_down", 16, 32, 8, "0-1 4 7 10 13-15", DType.Q6_K, DType.Q5_K)]
    [InlineData(FileType.Q4_K_S, "attn_v", 32, 32, 8, "0-3", DType.Q5_K, DType.Q4_K)]
    [InlineData(FileType.Q4_K_S, "ffn_down", 40, 40, 40, "0-4", DType.Q5_K, DType.Q4_K)]
    [InlineData(FileType.Q5_K_S, "ffn_down", 32, 32, 32, "", DType.Q6_K, DType.Q5_K)]
    [InlineData(FileType.Q3_K_S, "ffn_down", 32, 32, 32, "", DType.Q6_K, DType.Q3_K)]
    [InlineData(FileType.Q3_K_M, "attn_v", 32, 32, 32, "0-1", DType.Q5_K, DType.Q4_K)]
    [InlineData(FileType.Q3_K_M, "ffn_down", 32, 32, 32, "0-1", DType.Q5_K, DType.Q4_K)]
    [InlineData(FileType.Q3_K_L, "ffn_down", 32, 32, 32, "0-31", DType.Q5_K, DType.Q3_K)]
    [InlineData(FileType.Q3_K_L, "attn_output", 32, 32, 32, "0-31", DType.Q5_K, DType.Q3_K)]
    [InlineData(FileType.Q2_K, "attn_v", 32, 32, 32, "0-31", DType.Q3_K, DType.Q2_K)]
    [InlineData(FileType.Q2_K, "attn_v", 32, 32, 8, "0-31", DType.Q4_K, DType.Q2_K)]
    [InlineData(FileType.Q2_K_S, "attn_v", 32, 32, 8, "0-31", DType.Q4_K, DType.Q2_K)]
    [InlineData(FileType.Q2_K_S, "attn_v", 32, 32, 32, "", DType.Q4_K, DType.Q2_K)]
    [InlineData(FileType.IQ4_NL, "attn_v", 32, 32, 8, "0-31", DType.Q5_K, DType.IQ4_NL)]
    [InlineData(FileType.IQ4_NL, "attn_v", 32, 32, 16, "", DType.Q5_K, DType.IQ4_NL)]
    [InlineData(FileType.IQ4_NL, "ffn_down", 32, 32, 8, "0-3", DType.Q5_K, DType.IQ4_NL)]
    [InlineData(FileType.Q2_K_S, "ffn_down", 32, 32, 32, "0-3", DType.Q4_K, DType.Q2_K)]
    [InlineData(FileType.Q3_K_S, "attn_v", 80, 64, 8, "0-79", DType.Q5_K, DType.Q3_K)] // 70B: never less than Q5_K
    [InlineData(FileType.Q3_K_S, "attn_v", 80, 64, 64, "", DType.Q5_K, DType.Q3_K)] // 65B has no shared heads
    [InlineData(FileType.Q4_K_M, "attn_v", 80, 64, 8, "0-9 12 15 18 21 24 27 30 33 36 39 42 45 48 51 54 57 60 63 66 69 70-79", DType.Q6_K, DType.Q5_K)]
    public void LayersWithMoreBits(FileType type, string role, int layers, int heads, int kvHeads, string better, DType more, DType less)
    {
        var chosen = new HashSet<int>();
        foreach (string[] ends in better.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(r => r.Split('-')))
        {
            chosen.UnionWith(Enumerable.Range(int.Parse(ends[0]), int.Parse(ends[^1]) - int.Parse(ends[0]) + 1));
        }

        var mix = new QuantizationMix(type, new MixModel(layers, heads, kvHeads, TiedEmbeddings: false));
        for (int layer = 0; layer < layers; layer++)
        {
            DType expected = chosen.Contains(layer) ? more : less;
            Assert.Equal($"{layer} {expected}", $"{layer} {mix.TypeOf($"blk.{layer}.{role}.weight", new Shape(1024, 4096))}");
        }
    }

    [Theory]
    [InlineData(FileType.Q2_K, 288, DType.IQ4_NL)]
    [InlineData(FileType.Q3_K_S, 288, DType.IQ4_NL)]
    [InlineData(FileType.Q4_K_S, 288, DType.Q5_0)]
    [InlineData(FileType.Q5_K_S, 288, DType.Q5_1)]
    [InlineData(FileType.Q6_K, 288, DType.Q8_0)]
    [InlineData(FileType.Q6_K, 172, DType.F16)]
    [InlineData(FileType.IQ4_NL, 288, DType.IQ4_NL)]
    [InlineData(FileType.IQ4_NL, 172, DType.F16)]
    [InlineData(FileType.Q4_0, 288, DType.Q4_0)]
    [InlineData(FileType.Q4_0, 172, DType.F16)]
    [InlineData(FileType.Q8_0, 172, DType.F16)]
    [InlineData(FileType.BF16, 172, DType.BF16)]
    public void RowsThatAreNoWholeBlocksFallBack(FileType type, int columns, DType expected) =>
        Assert.Equal(expected, new QuantizationMix(type, new MixModel(8, 8, 8, false)).TypeOf("blk.1.attn_q.weight", new Shape(64, columns)));

    [Theory]
    [InlineData(FileType.Q4_0, 4096, true, DType.Q6_K)]
    [InlineData(FileType.Q4_0, 288, true, DType.Q8_0)] // Q6_K does not fit, its fallback does
    [InlineData(FileType.Q4_K_M, 288, true, DType.Q8_0)]
    [InlineData(FileType.Q4_K_M, 4096, false, DType.Q6_K)]
    [InlineData(FileType.Q8_0, 4096, false, DType.Q8_0)]
    [InlineData(FileType.F16, 4096, true, DType.F16)]
    public void OutputGetsMoreBits(FileType type, int columns, bool tied, DType expected)
    {
        var mix = new QuantizationMix(type, new MixModel(8, 8, 8, tied));
        Assert.Equal(expected, mix.TypeOf(tied ? "token_embd.weight" : "output.weight", new Shape(32000, columns)));
        if (!tied)
        {
            Assert.Equal(type.DefaultType(), mix.TypeOf("token_embd.weight", new Shape(32000, columns)));
        }
    }

    [Theory]
    [InlineData("blk.0.attn_norm.weight", 4096)]
    [InlineData("blk.0.attn_q.bias", 4096)]
    [InlineData("rope_freqs.weight", 64)]
    [InlineData("blk.0.ffn_gate_inp.weight", 4096)]
    public void SmallTensorsStayFloat(string name, int columns)
    {
        var mix = new QuantizationMix(FileType.Q4_0, new MixModel(8, 8, 8, false));
        Assert.Equal(DType.F32, mix.TypeOf(name, name.Contains("inp", StringComparison.Ordinal) ? new Shape(16, columns) : new Shape(columns)));
        Assert.Equal(DType.F32, mix.TypeOf("blk.0.attn_q.weight", new Shape(1, columns)));
    }

    [Theory]
    [InlineData("blk.8.attn_v.weight")]
    [InlineData("blk.x.ffn_down.weight")]
    [InlineData("attn_v.weight")]
    public void RefusesLayersThatAreNotThere(string name) =>
        Assert.Throws<PunaException>(() => new QuantizationMix(FileType.Q4_K_M, new MixModel(8, 8, 8, false)).TypeOf(name, new Shape(256, 256)));

    [Fact]
    public void NamesAndIdsAreThoseOfTheFormat()
    {
        Assert.True(FileTypes.TryParse("Q4_K_M", out FileType type));
        Assert.Equal(15, (int)type);
        Assert.Equal("q4_k_m", type.Name());
        Assert.True(FileTypes.TryParse("q5_k", out type));
        Assert.Equal(FileType.Q5_K_M, type);
        Assert.False(FileTypes.TryParse("15", out _));
        Assert.False(FileTypes.TryParse("", out _));
        Assert.False(FileTypes.TryParse(null, out _));
        Assert.All(FileTypes.All, t => Assert.True(FileTypes.TryParse(t.Name(), out FileType same) && same == t, t.Name()));
        Assert.All(FileTypes.All, t => Assert.True(Puna.Tensors.Quantization.Quantizer.Supports(t.DefaultType()), t.Name()));
        Assert.Equal(19, FileTypes.All.Count);
    }
}
