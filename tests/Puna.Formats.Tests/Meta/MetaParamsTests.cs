using System.Text;
using System.Text.Json;
using Puna.Formats.Meta;
using Puna.Tensors;

namespace Puna.Formats.Tests.Meta;

public class MetaParamsTests
{
    /// <summary>The example of spec llama1-3.md 3.1, Llama 2 70B.</summary>
    private const string Llama2 = """{"dim": 8192, "multiple_of": 4096, "ffn_dim_multiplier": 1.3, "n_heads": 64, "n_kv_heads": 8, "n_layers": 80, "norm_eps": 1e-05, "vocab_size": -1}""";

    [Fact]
    public void ReadsTheKeys()
    {
        MetaParams p = Parse(Llama2);
        Assert.Equal((8192, 80, 64, 8, -1, 4096), (p.Dim, p.NLayers, p.NHeads, p.NKvHeads!.Value, p.VocabSize, p.MultipleOf));
        Assert.Equal((1.3, 1e-5), (p.FfnDimMultiplier!.Value, p.NormEps));
        Assert.Null(p.RopeTheta);
        Assert.False(p.UseScaledRope);
        Assert.Equal(8, p.KvHeads);
    }

    [Fact]
    public void AbsentAndNullMeanTheDefault()
    {
        MetaParams p = Parse("""{"dim": 64, "n_layers": 2, "n_heads": 4, "n_kv_heads": null, "ffn_dim_multiplier": null}""");
        Assert.Null(p.NKvHeads);
        Assert.Equal(4, p.KvHeads);
        Assert.Equal((-1, 256, 1e-5), (p.VocabSize, p.MultipleOf, p.NormEps));
        Assert.Null(p.FfnDimMultiplier);
    }

    [Theory]
    [InlineData("""{"model": {"dim": 64, "n_layers": 2, "n_heads": 4, "use_scaled_rope": true}, "dim": 3}""")]
    [InlineData("\uFEFF{\"dim\": 64.0, \"n_layers\": 2, \"n_heads\": 4, \"use_scaled_rope\": true, \"model\": 5, \"head_dims\": []}")]
    public void ReadsNestedAndUnusualForms(string json)
    {
        MetaParams p = Parse(json);
        Assert.Equal(64, p.Dim);
        Assert.True(p.UseScaledRope);
    }

    /// <summary>Feed-forward widths of released models (spec llama1-3.md 1.2).</summary>
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
    public void FollowsTheWidthRule(int dim, int multipleOf, double? factor, long expected) =>
        Assert.Equal(expected, new MetaParams { Dim = dim, NLayers = 1, NHeads = 1, MultipleOf = multipleOf, FfnDimMultiplier = factor }.FfnHidden);

    [Fact]
    public void AbsurdWidthsDoNotOverflow()
    {
        Assert.Equal(long.MaxValue, new MetaParams { Dim = int.MaxValue, NLayers = 1, NHeads = 1, FfnDimMultiplier = double.MaxValue }.FfnHidden);
        Assert.True(new MetaParams { Dim = int.MaxValue, NLayers = 1, NHeads = 1, MultipleOf = int.MaxValue, FfnDimMultiplier = 1e4 }.FfnHidden > 0);
    }

    [Fact]
    public void KeepsOtherKeysForTheirReaders()
    {
        const string Vision = """{"dim": 64, "n_layers": 2, "n_heads": 4, "vision_chunk_size": 560, "quantization_args": {"scheme": "int4_weight_int8_dynamic_activation", "group_size": 32}}""";
        MetaParams p = Parse(Vision);
        Assert.Equal(560, p.Raw.GetProperty("vision_chunk_size").GetInt32());
        MetaParams again = MetaParams.Parse(p.ToJson(), "again");
        Assert.Equal(32, again.Raw.GetProperty("quantization_args").GetProperty("group_size").GetInt32());
    }

    [Fact]
    public void AnObjectCalledModelIsNotTakenForTheParametersLater()
    {
        MetaParams p = Parse("""{"model": {"dim": 64, "n_layers": 2, "n_heads": 4, "model": {"dim": 32, "n_layers": 1, "n_heads": 2}}}""");
        Assert.Equal(64, p.Dim);
        Assert.Equal(64, MetaParams.Parse(p.ToJson(), "again").Dim);
    }

    [Fact]
    public void WritesWhatItReads()
    {
        var p = new MetaParams
        {
            Dim = 64, NLayers = 3, NHeads = 8, NKvHeads = 2, VocabSize = 320, MultipleOf = 16, FfnDimMultiplier = 1.3, NormEps = 1e-6, RopeTheta = 500000, UseScaledRope = true,
        };
        using JsonDocument json = JsonDocument.Parse(p.ToJson());
        Assert.Equal(["dim", "n_layers", "n_heads", "n_kv_heads", "vocab_size", "multiple_of", "ffn_dim_multiplier", "norm_eps", "rope_theta", "use_scaled_rope"], json.RootElement.EnumerateObject().Select(x => x.Name));
        Assert.Equal(p, MetaParams.Parse(p.ToJson(), "x") with { Raw = default });
        Assert.DoesNotContain("n_kv_heads", Encoding.UTF8.GetString((p with { NKvHeads = null }).ToJson()), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "JSON")]
    [InlineData("{", "JSON")]
    [InlineData("""{"dim": 64, "n_layers": 2, "n_heads": 4, "\ud800": 5}""", "JSON")]
    [InlineData("""{"dim": 64, "n_layers": 2, "n_heads": 4, "x": ["\udc00"]}""", "JSON")]
    [InlineData("[]", "object, got array")]
    [InlineData("3", "object, got number")]
    [InlineData("{}", "key n_heads: missing")]
    [InlineData("""{"dim": 64, "n_heads": 4}""", "key n_layers: missing")]
    [InlineData("""{"dim": 0, "n_layers": 2, "n_heads": 4}""", "key dim", "got 0")]
    [InlineData("""{"dim": "64", "n_layers": 2, "n_heads": 4}""", "key dim", "got \"64\"")]
    [InlineData("""{"dim": 1e30, "n_layers": 2, "n_heads": 4}""", "key dim", "1e30")]
    [InlineData("""{"dim": 6.5, "n_layers": 2, "n_heads": 4}""", "key dim", "6.5")]
    [InlineData("""{"dim": 64, "n_layers": -1, "n_heads": 4}""", "key n_layers")]
    [InlineData("""{"dim": 64, "n_layers": 2, "n_heads": 4, "n_kv_heads": 3}""", "key n_kv_heads", "divisor of n_heads 4, got 3")]
    [InlineData("""{"dim": 64, "n_layers": 2, "n_heads": 4, "n_kv_heads": 8}""", "key n_kv_heads")]
    [InlineData("""{"dim": 64, "n_layers": 2, "n_heads": 4, "vocab_size": -2}""", "key vocab_size")]
    [InlineData("""{"dim": 64, "n_layers": 2, "n_heads": 4, "multiple_of": 0}""", "key multiple_of")]
    [InlineData("""{"dim": 64, "n_layers": 2, "n_heads": 4, "norm_eps": -1}""", "key norm_eps")]
    [InlineData("""{"dim": 64, "n_layers": 2, "n_heads": 4, "norm_eps": 1e999}""", "key norm_eps")]
    [InlineData("""{"dim": 64, "n_layers": 2, "n_heads": 4, "rope_theta": 0}""", "key rope_theta")]
    [InlineData("""{"dim": 64, "n_layers": 2, "n_heads": 4, "use_scaled_rope": 1}""", "key use_scaled_rope")]
    [InlineData("""{"dim": 64, "n_layers": 2, "n_heads": 4, "rope_theta": NaN}""", "JSON")]
    public void RefusesByKey(string json, params string[] parts)
    {
        string message = Assert.Throws<FileFormatException>(() => Parse(json)).Message;
        Assert.DoesNotContain(message, char.IsControl);
        Assert.All(parts, x => Assert.Contains(x, message, StringComparison.Ordinal));
    }

    [Fact]
    public void RefusesDeepAndBrokenText()
    {
        Assert.Throws<FileFormatException>(() => Parse(new string('[', 100_000)));
        byte[] name = Encoding.UTF8.GetBytes("""{"dim": 64, "n_layers": 2, "n_heads": 4, "?": 5}""");
        name[name.AsSpan().IndexOf((byte)'?')] = 0xff;
        Assert.Contains("UTF-8", Assert.Throws<FileFormatException>(() => MetaParams.Parse(name, "x")).Message, StringComparison.Ordinal);
        byte[] good = Encoding.UTF8.GetBytes(Llama2);
        for (int length = 0; length < good.Length; length++)
        {
            Assert.Throws<FileFormatException>(() => MetaParams.Parse(good.AsSpan(0, length), "x"));
        }
    }

    [Fact]
    public void NamesAMissingFile() =>
        Assert.Contains("nowhere.json: not found", Assert.Throws<PunaException>(() => MetaParams.Read("nowhere.json")).Message, StringComparison.Ordinal);

    private static MetaParams Parse(string json) => MetaParams.Parse(Encoding.UTF8.GetBytes(json), "params.json");
}
