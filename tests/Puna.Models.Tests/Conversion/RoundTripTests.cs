using System.Text.Json;
using System.Text.Json.Nodes;
using Puna.Formats.Gguf;
using Puna.Formats.Safetensors;
using Puna.Models.Checkpoints;
using Puna.Models.Conversion;
using Puna.Models.Quantization;
using Puna.Tensors;
using Puna.Tests.Shared;

namespace Puna.Models.Tests.Conversion;

/// <summary>What comes back from another format is what was there, to the bit.</summary>
public sealed class RoundTripTests : IDisposable
{
    private readonly ConversionFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void AClassifierKeepsItsWeightsAndScores()
    {
        TinyModel tiny = new TinyModel(32, 44, 2, 4, 2, 8, 40).Randomize(5);
        tiny.Tensors.Remove("lm_head.weight");
        tiny.Tensors["score.weight"] = ([1, 32], [.. Enumerable.Range(0, 32).Select(i => (i - 15) / 20f)]);
        string source = tiny.WriteHuggingFace(_folder.At("source"), more: """, "architectures": ["LlamaForSequenceClassification"], "id2label": {"0": "LABEL_0"}""");
        CheckClassifier(source);
    }

    [Fact]
    public void TheRewardModelKeepsItsWeightsAndScores() => CheckClassifier(TestFiles.GoldenModel("reward-model"));

    [Theory]
    [InlineData(true, false, false)]
    [InlineData(true, true, false)]
    [InlineData(true, true, true)]
    [InlineData(false, false, true)]
    public void BiasesKeepTheirPlaces(bool qkv, bool output, bool mlp)
    {
        TinyModel tiny = new TinyModel(32, 44, 2, 4, 2, 12, 40) { QkvBias = qkv, OutputBias = output, MlpBias = mlp }.Randomize(6);
        string source = qkv && !output ? tiny.WriteHuggingFace(_folder.At("source"), "qwen2") : tiny.WriteHuggingFace(_folder.At("source"));
        string gguf = _folder.Convert(source, "model.gguf");
        string meta = _folder.Convert(gguf, "meta");
        string back = _folder.Convert(meta, "back");
        ConversionFolder.AssertSameTensors(source, back);
        float[] logits = ConversionFolder.Logits(source);
        Assert.All(new[] { gguf, meta, back }, path => Assert.Equal(logits, ConversionFolder.Logits(path)));

        // Biases of q and k follow the rows: the file has them in the order of an independent permutation (spec llama1-3.md 2.3).
        if (qkv)
        {
            using GgufFile ours = GgufFile.Open(gguf);
            using GgufFile expected = GgufFile.Open(tiny.WriteGguf(_folder.At("expected.gguf"), "llama"));
            Assert.Equal(expected.GetTensor("blk.1.attn_k.bias").Row<float>(0).ToArray(), ours.GetTensor("blk.1.attn_k.bias").Row<float>(0).ToArray());
        }
    }

    /// <summary>Numbers for which (float)(m / D) * D is not m, D being the usual magnitude of the factor; and some that are no float32.</summary>
    [Theory]
    [InlineData(4, 1.2, 32, 1)]
    [InlineData(8, 1.3, 32, 1)]
    [InlineData(8, 1.5, 32, 1)]
    [InlineData(1.7, 0.9, 31.7, 1.3)]
    [InlineData(40, 0, 32, 1)]
    public void YarnGivesTheSameBits(double factor, double attention, double fast, double slow)
    {
        string given = attention == 0 ? "" : FormattableString.Invariant($", \"attention_factor\": {attention}");
        string source = new TinyModel(32, 44, 1, 2, 1, 16, 40).Randomize(7).WriteHuggingFace(_folder.At("source"), more: FormattableString.Invariant(
            $$""", "rope_scaling": {"rope_type": "yarn", "factor": {{factor}}, "original_max_position_embeddings": 16, "beta_fast": {{fast}}, "beta_slow": {{slow}}{{given}}}"""));
        string gguf = _folder.Convert(source, "model.gguf");
        string again = _folder.Convert(gguf, "again.gguf");
        string back = _folder.Convert(again, "back");
        float[] logits = ConversionFolder.Logits(source);
        Assert.All(new[] { gguf, again, back }, path => Assert.Equal(logits, ConversionFolder.Logits(path)));
        Assert.Equal(Scaling(source), Scaling(back));
    }

    /// <summary>Rules that no search among powers of two finds: even the lowest frequency lies in the ramp, or the factors are odd.</summary>
    [Theory]
    [InlineData(8, 1, 4, 100)]
    [InlineData(5.5, 1.3, 3.7, 1234)]
    [InlineData(32, 1, 4, 8192)]
    [InlineData(8, 1, 4, 1)]
    public void Llama3RulesReturn(double factor, double low, double high, int context)
    {
        string source = new TinyModel(32, 44, 1, 2, 1, 16, 40).Randomize(8).WriteHuggingFace(_folder.At("source"), more: FormattableString.Invariant(
            $$""", "rope_parameters": {"rope_theta": 10000.0, "rope_type": "llama3", "factor": {{factor}}, "low_freq_factor": {{low}}, "high_freq_factor": {{high}}, "original_max_position_embeddings": {{context}}}"""));
        string gguf = _folder.Convert(source, "model.gguf");
        string again = _folder.Convert(gguf, "again.gguf", FileType.F32);
        string meta = _folder.Convert(again, "meta");
        string back = _folder.Convert(meta, "back");
        Assert.Equal(Scaling(source), Scaling(back));
        float[] logits = ConversionFolder.Logits(source);
        Assert.All(new[] { gguf, again, meta, back }, path => Assert.Equal(logits, ConversionFolder.Logits(path)));
    }

    /// <summary>A rule that a file names but that is not the rule of its divisors is not believed.</summary>
    [Fact]
    public void ANamedRuleMustGiveTheDivisors()
    {
        string gguf = _folder.Convert(TestFiles.GoldenModel("llama31-scaled"), "model.gguf");
        using GgufFile file = GgufFile.Open(gguf);
        Assert.Equal(8, file.Metadata.GetNumber("puna.rope.llama3.factor"));
        file.Metadata.Set("puna.rope.llama3.factor", 4.0);
        using Checkpoint source = Checkpoint.OpenGguf(file);
        using Checkpoint original = Checkpoint.Open(TestFiles.GoldenModel("llama31-scaled"));
        Assert.Equal(original.Config.RopeScaling, RopeRecovery.Name(source.Config));
    }

    [Fact]
    public void TokenIdsReturnThroughEveryFormat()
    {
        TinyModel tiny = new TinyModel(32, 44, 1, 2, 1, 16, 40).Randomize(9);
        foreach ((string more, int? bos, int[] eos) in new (string, int?, int[])[]
        {
            (""", "bos_token_id": 3, "eos_token_id": 7""", 3, [7]), (""", "bos_token_id": 3, "eos_token_id": [7, 8, 9, 11]""", 3, [7, 8, 9, 11]), ("", null, []),
        })
        {
            string name = $"{eos.Length}";
            string source = tiny.WriteHuggingFace(_folder.At("source" + name), more: more);
            string gguf = _folder.Convert(source, name + ".gguf");
            string meta = _folder.Convert(gguf, "meta" + name);
            foreach (string path in new[] { gguf, meta, _folder.Convert(meta, "back" + name) })
            {
                using Checkpoint checkpoint = Checkpoint.Open(path);
                Assert.Equal(bos, checkpoint.Config.BosId);
                Assert.Equal(eos, checkpoint.Config.EosIds);
            }
        }
    }

    [Theory]
    [InlineData("two-parts-by-columns", 1000000000)]
    [InlineData("two-parts-by-rows", 300)]
    public void MetaFilesInPartsConvert(string fixture, long split)
    {
        string source = TestFiles.Fixture("meta", fixture);
        string gguf = _folder.Convert(source, "model.gguf");
        string hf = _folder.Convert(source, "hf", maxFileBytes: split);
        string back = _folder.Convert(hf, "meta");
        ConversionFolder.AssertSameTensors(source, back);
        Assert.Equal(split == 300, File.Exists(Path.Combine(hf, "model.safetensors.index.json")));
        using Checkpoint a = Checkpoint.Open(gguf);
        // Element e of tensor t is (89 t + e) % 2048 (fixtures/meta/make.py); wo is tensor 4 and 8 wide, and divided by columns among the parts.
        Tensor wo = a.GetTensor("layers.0.attention.wo.weight");
        float[] row = new float[8];
        Tensors.Quantization.Dequantizer.Dequantize(wo.DType, wo.Row<byte>(1), row);
        Assert.Equal(Enumerable.Range(0, 8).Select(i => (float)((89 * 4) + 8 + i)), row);
    }

    /// <summary>Memory of a tensor put together from parts can be given back, and the tensor be had again.</summary>
    [Fact]
    public void MergedTensorsDoNotPileUp()
    {
        string source = TestFiles.Fixture("meta", "two-parts-by-rows");
        using Checkpoint checkpoint = Checkpoint.Open(source);
        Tensor merged = checkpoint.GetTensor("layers.0.attention.wq.weight");
        checkpoint.File.Release(merged);
        Assert.Throws<ObjectDisposedException>(() => _ = merged.Address);
        Tensor again = checkpoint.GetTensor("layers.0.attention.wq.weight");
        Assert.NotEqual(0, again.Address);

        // A view of the file stays valid.
        using Checkpoint whole = Checkpoint.Open(TestFiles.Fixture("meta", "views"));
        Tensor view = whole.GetTensor("norm.weight");
        whole.File.Release(view);
        Assert.NotEqual(0, view.Address);
    }

    [Theory]
    [InlineData("split", "model-00001-of-00005.safetensors")]
    [InlineData("split.gguf", "split-00001-of-00005.gguf")]
    public void LargeCheckpointsAreSplit(string to, string first)
    {
        string source = TestFiles.GoldenModel("llama32-tied");
        string path = _folder.Convert(source, to, maxFileBytes: 200_000);
        bool gguf = to.EndsWith("gguf", StringComparison.Ordinal);
        string opened = gguf ? _folder.At(first) : path;
        Assert.True(File.Exists(gguf ? opened : Path.Combine(path, first)), string.Join(' ', _folder.Entries));
        Assert.Equal(gguf ? 5 : 7, _folder.Entries.Count(e => e.Contains('.', StringComparison.Ordinal)));
        Assert.Equal(ConversionFolder.Logits(source), ConversionFolder.Logits(opened));
    }

    /// <summary>Another type of the same layout leaves every setting in place, known or not.</summary>
    [Fact]
    public void AnotherTypeKeepsTheSettings()
    {
        string source = new TinyModel(32, 44, 1, 2, 1, 16, 40).Randomize(10).WriteHuggingFace(_folder.At("source"), more: """, "torch_dtype": "float32", "pretraining_tp": 1, "note": [1, {"a": 2.50}]""");
        byte[] generation = """{"eos_token_id": [2, 9], "temperature": 0.6}"""u8.ToArray();
        File.WriteAllBytes(Path.Combine(source, "generation_config.json"), generation);
        string half = _folder.Convert(source, "half", FileType.BF16);
        Assert.Equal(generation, File.ReadAllBytes(Path.Combine(half, "generation_config.json")));
        using JsonDocument config = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(half, "config.json")));
        Assert.Equal("bfloat16", config.RootElement.GetProperty("torch_dtype").GetString());
        Assert.Equal("2.50", config.RootElement.GetProperty("note")[1].GetProperty("a").GetRawText());
        using Checkpoint checkpoint = Checkpoint.Open(half);
        Assert.Equal([2, 9], checkpoint.Config.EosIds);
        Assert.Equal(DType.BF16, checkpoint.GetTensor("layers.0.attention_norm.weight").DType);

        string same = _folder.Convert(source, "same");
        Assert.Equal(File.ReadAllBytes(Path.Combine(source, "config.json")), File.ReadAllBytes(Path.Combine(same, "config.json")));
        ConversionFolder.AssertSameTensors(source, same);
    }

    /// <summary>What a Llama 4 sees with goes along, under the names that its settings promise; so do the settings of its pictures.</summary>
    [Fact]
    public void AModelThatSeesKeepsItsEncoder()
    {
        string source = _folder.At("sees");
        Directory.CreateDirectory(source);
        string golden = TestFiles.GoldenModel("llama4-vision");
        JsonNode config = JsonNode.Parse(File.ReadAllText(Path.Combine(golden, "config.json")))!;
        config["text_config"]!["torch_dtype"] = "float32";
        File.WriteAllText(Path.Combine(source, "config.json"), config.ToJsonString());
        File.Copy(Path.Combine(golden, "model.safetensors"), Path.Combine(source, "model.safetensors"));
        byte[] pictures = """{"image_mean": [0.5, 0.5, 0.5]}"""u8.ToArray();
        File.WriteAllBytes(Path.Combine(source, "preprocessor_config.json"), pictures);

        string same = _folder.Convert(source, "same");
        AssertSameFiles(source, same);
        Assert.Equal(pictures, File.ReadAllBytes(Path.Combine(same, "preprocessor_config.json")));
        Assert.Equal(File.ReadAllBytes(Path.Combine(source, "config.json")), File.ReadAllBytes(Path.Combine(same, "config.json")));
        string half = _folder.Convert(source, "half", FileType.BF16);
        using (Checkpoint checkpoint = Checkpoint.Open(half))
        {
            Assert.Equal([DType.BF16], checkpoint.File.Tensors.Select(static t => t.DType).Distinct());
            _ = checkpoint.LoadLlama4Vision();
        }

        using (JsonDocument written = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(half, "config.json"))))
        {
            Assert.Equal("bfloat16", written.RootElement.GetProperty("text_config").GetProperty("torch_dtype").GetString());
        }

        // Meta's layout has the encoder too; GGUF holds the text model alone, whose settings say so.
        string meta = _folder.At("meta");
        using (Checkpoint whole = Checkpoint.Open(source))
        {
            MetaLlama4Files.Write(whole, meta, 2);
        }

        AssertSameFiles(source, _folder.Convert(meta, "from-meta"));
        string text = _folder.Convert(_folder.Convert(source, "text.gguf"), "text");
        using Checkpoint blind = Checkpoint.Open(text);
        Assert.Null(blind.Config.Llama4!.Vision);
        Assert.Equal(ConversionFolder.Logits(source), ConversionFolder.Logits(text));
    }

    /// <summary>An encoder of which a tensor is missing is no reason to leave it out.</summary>
    [Fact]
    public void HalfAnEncoderIsNotConverted()
    {
        string source = _folder.At("half-sees");
        Directory.CreateDirectory(source);
        string golden = TestFiles.GoldenModel("llama4-vision");
        File.Copy(Path.Combine(golden, "config.json"), Path.Combine(source, "config.json"));
        using (SafetensorsFile all = SafetensorsFile.Open(Path.Combine(golden, "model.safetensors")))
        using (var writer = new SafetensorsWriter(Path.Combine(source, "model.safetensors")))
        {
            string[] names = [.. all.Tensors.Select(static t => t.Name).Where(static n => n != "multi_modal_projector.linear_1.weight")];
            foreach (string name in names)
            {
                writer.Declare(name, all.GetTensor(name).DType, all.GetTensor(name).Shape);
            }

            writer.Begin();
            foreach (string name in names)
            {
                writer.WriteTensor(all.GetTensor(name));
            }

            writer.Complete();
        }

        Assert.Contains("multi_modal_projector.linear_1.weight: expected in the checkpoint", Assert.Throws<FileFormatException>(() => _folder.Convert(source, "none")).Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_folder.At("none")));
    }

    [Fact]
    public void ProgressReachesTheTotalAndThreadsChangeNothing()
    {
        string source = TestFiles.GoldenModel("llama31-scaled");
        byte[][] files = [.. new[] { 1, 3 }.Select(threads =>
        {
            var seen = new Seen();
            using Checkpoint checkpoint = Checkpoint.Open(source);
            string path = _folder.At("model.gguf");
            CheckpointConverter.Convert(checkpoint, path, new ConversionOptions { Format = CheckpointFormat.Gguf, Type = FileType.Q8_0, Threads = threads }, seen, TestContext.Current.CancellationToken);
            Assert.True(seen.Last.TotalBytes > 0);
            Assert.Equal(seen.Last.TotalBytes, seen.Last.BytesWritten);
            return File.ReadAllBytes(path);
        })];
        Assert.Equal(files[0], files[1]);
    }

    [Fact]
    public void AGgufFileKeepsTheIdOfItsMixWhileItsTypesAreKept()
    {
        string source = TestFiles.Golden("gguf-quants", "q4_k_m.gguf");
        using GgufFile before = GgufFile.Open(source);
        Assert.Equal(15, before.Metadata.GetInteger("general.file_type"));
        using GgufFile copy = GgufFile.Open(_folder.Convert(source, "copy.gguf"));
        Assert.Equal(15, copy.Metadata.GetInteger("general.file_type"));
        using GgufFile other = GgufFile.Open(_folder.Convert(source, "other.gguf", FileType.Q8_0));
        Assert.Equal(7, other.Metadata.GetInteger("general.file_type"));
        Assert.Equal((int?)30, FileTypes.IdOf(DType.IQ4_XS));
        Assert.Null(FileTypes.IdOf(DType.F64));
    }

    /// <summary>Both have the same tensors under the same names, and the library sees the same with them.</summary>
    private static void AssertSameFiles(string expected, string actual)
    {
        using Checkpoint first = Checkpoint.Open(expected), last = Checkpoint.Open(actual);
        Assert.Equal(first.File.Tensors.Select(static t => $"{t.Name} {t.Shape} {t.DType}").Order(), last.File.Tensors.Select(static t => $"{t.Name} {t.Shape} {t.DType}").Order());
        foreach (string name in first.File.Tensors.Select(static t => t.Name))
        {
            Tensor a = first.File.GetTensor(name), b = last.File.GetTensor(name);
            for (long row = 0; row < a.Rows; row++)
            {
                Assert.True(a.Row<byte>(row).SequenceEqual(b.Row<byte>(row)), name);
            }
        }


        // Meta's settings name no tokens.
        Assert.Equal(first.Config.Llama4!.Vision! with { PatchToken = 0, StartToken = 0, EndToken = 0 }, last.Config.Llama4!.Vision! with { PatchToken = 0, StartToken = 0, EndToken = 0 });
        _ = last.LoadLlama4Vision();
    }

    private void CheckClassifier(string source)
    {
        string gguf = _folder.Convert(source, "model.gguf");
        string back = _folder.Convert(gguf, "back");
        using (GgufFile file = GgufFile.Open(gguf))
        {
            Assert.True(file.TryGetInfo("cls.output.weight", out _));
        }

        ConversionFolder.AssertSameTensors(source, back);
        float[] scores = ConversionFolder.Logits(source);
        Assert.Equal(scores, ConversionFolder.Logits(gguf));
        Assert.Equal(scores, ConversionFolder.Logits(back));
    }

    private static RopeScaling Scaling(string path)
    {
        using Checkpoint checkpoint = Checkpoint.Open(path);
        return checkpoint.Config.RopeScaling;
    }

    private sealed class Seen : IProgress<ConversionProgress>
    {
        public ConversionProgress Last { get; private set; }

        public void Report(ConversionProgress value) => Last = value;
    }
}
