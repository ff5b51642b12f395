using System.Diagnostics.CodeAnalysis;
using System.Text;
using Puna.Formats;
using Puna.Formats.Meta;
using Puna.Models.Checkpoints;
using Puna.Tensors;

namespace Puna.Models.Tests.Checkpoints;

public sealed class MetaConfigTests : IDisposable
{
    private const string Start = """ "dim": 64, "n_layers": 1, "n_heads": 8, "multiple_of": 16 """;

    private readonly string _folder = Directory.CreateTempSubdirectory("puna-meta-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>Contexts of spec llama1-3.md 1.2; params.json names none.</summary>
    [Theory]
    [InlineData(""" "norm_eps": 1e-6 """, 32000, 2048)]
    [InlineData(""" "norm_eps": 1e-5 """, 32000, 4096)]
    [InlineData(""" "norm_eps": 1e-6 """, 320, 4096)]
    [InlineData(""" "rope_theta": 1000000.0 """, 32016, 16384)]
    [InlineData(""" "rope_theta": 500000.0 """, 128256, 8192)]
    [InlineData(""" "rope_theta": 500000.0 """, 320, 8192)]
    [InlineData(""" "rope_theta": 500000.0, "use_scaled_rope": true """, 128256, 131072)]
    [InlineData(""" "rope_theta": 500000.0, "use_scaled_rope": true, "max_position_embeddings": 77 """, 128256, 77)]
    public void TheContextFollowsFromTheGeneration(string settings, int vocab, int context) => Assert.Equal(context, Read(settings, vocab: vocab).ContextLength);

    /// <summary>spec llama1-3.md 2.4: 32 for the two small models of Llama 3.2, 8 for all others.</summary>
    [Theory]
    [InlineData(2048, 32, 32)]
    [InlineData(3072, 24, 32)]
    [InlineData(4096, 32, 8)]
    [InlineData(64, 8, 8)]
    public void TheFactorOfScaledFrequenciesFollowsFromTheWidth(int dim, int heads, double factor)
    {
        LlamaConfig config = Read($$""" "dim": {{dim}}, "n_heads": {{heads}}, "use_scaled_rope": true """, headDim: dim / heads, heads: heads);
        Assert.Equal(new RopeScaling.Llama3(factor, 1, 4, 8192), config.RopeScaling);
    }

    [Fact]
    public void WhatMetaCannotSayIsReadFromOurOwnKeys()
    {
        LlamaConfig config = Read(
            """ "head_dim": 16, "n_kv_heads": 2, "rope_scaling": {"rope_type": "linear", "factor": 3}, "bos_token_id": 5, "eos_token_id": [6, 7], "tie_word_embeddings": true """, headDim: 16, kvHeads: 2);
        Assert.Equal((16, 2, 5, true), (config.HeadDim, config.KvHeads, config.BosId, config.TiedEmbeddings));
        Assert.Equal(new RopeScaling.Linear(3), config.RopeScaling);
        Assert.Equal([6, 7], config.EosIds);
    }

    [Theory]
    [InlineData(320)]
    [InlineData(32000)]
    [InlineData(128256)]
    public void SpecialTokensAreLeftToTheTokenizer(int vocab)
    {
        LlamaConfig config = Read("", vocab: vocab);
        Assert.Null(config.BosId);
        Assert.Empty(config.EosIds);
    }

    [Fact]
    public void TheWeightTellsTheKeyValueHeads()
    {
        Assert.Equal(16, Read(""" "dim": 512, "n_heads": 32, "n_kv_heads": 8 """, headDim: 16, heads: 32, kvHeads: 16).KvHeads);
        Assert.Equal(8, Read("").KvHeads);

        // Fewer, or no multiple: the settings count, and the tensors have the wrong shape.
        Assert.Equal(8, Read("", kvHeads: 2).KvHeads);
        Assert.Equal(8, Read(""" "dim": 512, "n_heads": 32, "n_kv_heads": 8 """, headDim: 16, heads: 32, kvHeads: 12).KvHeads);
    }

    /// <summary>Settings as Meta published them.</summary>
    [Theory]
    [InlineData("""{"dim": 4096, "multiple_of": 256, "n_heads": 32, "n_layers": 32, "norm_eps": 1e-06, "vocab_size": -1}""", 32000, 32, 11008, 2048, 1e4)]
    [InlineData("""{"dim": 4096, "multiple_of": 256, "n_heads": 32, "n_layers": 32, "norm_eps": 1e-05, "vocab_size": -1}""", 32000, 32, 11008, 4096, 1e4)]
    [InlineData("""{"dim": 8192, "multiple_of": 4096, "ffn_dim_multiplier": 1.3, "n_heads": 64, "n_kv_heads": 8, "n_layers": 80, "norm_eps": 1e-05, "vocab_size": -1}""", 32000, 8, 28672, 4096, 1e4)]
    [InlineData("""{"dim": 4096, "n_layers": 32, "n_heads": 32, "multiple_of": 256, "ffn_dim_multiplier": 1.0, "norm_eps": 1e-5, "rope_theta": 1000000}""", 32016, 32, 11008, 16384, 1e6)]
    [InlineData("""{"dim": 4096, "n_layers": 32, "n_heads": 32, "n_kv_heads": 8, "vocab_size": 128256, "multiple_of": 1024, "ffn_dim_multiplier": 1.3, "norm_eps": 1e-05, "rope_theta": 500000.0}""", 128256, 8, 14336, 8192, 5e5)]
    [InlineData("""{"dim": 4096, "n_layers": 32, "n_heads": 32, "n_kv_heads": 8, "vocab_size": 128256, "multiple_of": 1024, "ffn_dim_multiplier": 1.3, "norm_eps": 1e-05, "rope_theta": 500000.0, "use_scaled_rope": true}""", 128256, 8, 14336, 131072, 5e5)]
    [InlineData("""{"dim": 2048, "n_layers": 16, "n_heads": 32, "n_kv_heads": 8, "vocab_size": 128256, "multiple_of": 256, "ffn_dim_multiplier": 1.5, "norm_eps": 1e-05, "rope_theta": 500000.0, "use_scaled_rope": true}""", 128256, 8, 8192, 131072, 5e5)]
    public void PublishedSettingsAreRead(string json, int vocab, int kvHeads, int ffn, int context, double theta)
    {
        MetaParams parameters = MetaParams.Parse(Encoding.UTF8.GetBytes(json), "params.json");
        Assert.Equal(ffn, parameters.FfnHidden);
        int headDim = parameters.Dim / parameters.NHeads;
        LlamaConfig config = MetaConfig.Read(
            new Shapes(_folder)
            {
                ["tok_embeddings.weight"] = new Shape(vocab, parameters.Dim),
                ["output.weight"] = new Shape(vocab, parameters.Dim),
                ["layers.0.attention.wk.weight"] = new Shape(kvHeads * headDim, parameters.Dim),
                ["layers.0.feed_forward.w1.weight"] = new Shape(ffn, parameters.Dim),
            },
            parameters);
        Assert.Equal((vocab, kvHeads, headDim, ffn, context, theta), (config.Vocab, config.KvHeads, config.HeadDim, config.Ffn, config.ContextLength, config.RopeTheta));
        Assert.Equal(context == 131072 ? new RopeScaling.Llama3(parameters.Dim == 2048 ? 32 : 8, 1, 4, 8192) : new RopeScaling.None(), config.RopeScaling);
    }

    [Theory]
    [InlineData(""" "quantization_args": {"scheme": "int4"} """, "quantization_args")]
    [InlineData(""" "rope_theta": 1e300 """, "rope theta")]
    [InlineData(""" "rope_scaling": {"rope_type": "linear", "factor": 0} """, "factor")]
    [InlineData(""" "n_layers": 100000000 """, "layers")]
    [InlineData(""" "n_heads": 7 """, "n_heads")]
    [InlineData(""" "vocab_size": 512 """, "vocab_size")]
    [InlineData(""" "max_position_embeddings": 0 """, "context length")]
    public void WhatIsNotUnderstoodIsRefusedByName(string settings, string named)
    {
        PunaException e = Assert.ThrowsAny<PunaException>(() => Read(settings));
        Assert.Contains(named, e.Message, StringComparison.Ordinal);
        Assert.Contains(Path.Combine(_folder, "params.json"), e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
    }

    [Fact]
    public void ErrorsNameTheSettingsBesideAnOpenedPart()
    {
        TinyModel tiny = new TinyModel(32, 44, 1, 4, 4, 8, 40).Randomize(1);
        tiny.WriteMeta(_folder, """{"dim": 32, "n_layers": 1, "n_heads": 4, "multiple_of": 4, "quantization_args": {"scheme": "int4"} }""");
        PunaException e = Assert.ThrowsAny<PunaException>(() => Checkpoint.Open(Path.Combine(_folder, "consolidated.00.pth")).Dispose());
        Assert.Contains(Path.Combine(_folder, "params.json"), e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(".pth", e.Message, StringComparison.Ordinal);
    }

    /// <summary>Reads settings (later keys replace earlier ones) over tensors of which only the shapes exist.</summary>
    private LlamaConfig Read(string settings, int vocab = 320, int headDim = 8, int heads = 8, int? kvHeads = null)
    {
        string json = "{" + Start + (settings.Length > 0 ? "," + settings : "") + "}";
        MetaParams parameters = MetaParams.Parse(Encoding.UTF8.GetBytes(json), "params.json");
        int dim = parameters.Dim;
        return MetaConfig.Read(
            new Shapes(_folder)
            {
                ["tok_embeddings.weight"] = new Shape(vocab, dim),
                ["output.weight"] = new Shape(vocab, dim),
                ["layers.0.attention.wk.weight"] = new Shape((kvHeads ?? heads) * headDim, dim),
                ["layers.0.feed_forward.w1.weight"] = new Shape(176, dim),
            },
            parameters);
    }

    /// <summary>A checkpoint without values.</summary>
    private sealed class Shapes(string path) : TensorFile
    {
        private readonly Dictionary<string, Shape> _shapes = new(StringComparer.Ordinal);

        public override string Path => path;

        public override IReadOnlyList<TensorInfo> Tensors => [.. _shapes.Select(s => Info(s.Key, s.Value))];

        public Shape this[string name]
        {
            set => _shapes[name] = value;
        }

        public override bool TryGetInfo(string name, [NotNullWhen(true)] out TensorInfo? info)
        {
            info = _shapes.TryGetValue(name, out Shape shape) ? Info(name, shape) : null;
            return info is not null;
        }

        public override Tensor GetTensor(string name) => throw new InvalidOperationException("a config needs no values");

        protected override void Dispose(bool disposing)
        {
        }

        private TensorInfo Info(string name, Shape shape) => new(name, DType.F32, shape, path, 0, shape.Count * sizeof(float));
    }
}
