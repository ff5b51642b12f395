using Puna.Formats.Gguf;
using Puna.Models.Checkpoints;
using Puna.Models.Conversion;
using Puna.Models.Quantization;
using Puna.Tensors;
using Puna.Tests.Shared;

namespace Puna.Models.Tests.Conversion;

/// <summary>A conversion that fails says why in one line and leaves nothing: no half checkpoint, no temporary file, no empty folder.</summary>
public sealed class FailedConversionTests : IDisposable
{
    private readonly ConversionFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("hf")]
    [InlineData("meta")]
    public void DivisorsThatNoRuleGives(string to)
    {
        string gguf = _folder.Convert(TestFiles.GoldenModel("llama31-scaled"), "model.gguf");
        GgufFile file = GgufFile.Open(gguf, map: false);
        file.GetTensor("rope_freqs.weight").Row<float>(0)[2] = 3.7f;
        using Checkpoint source = Checkpoint.OpenGguf(file);
        Fails(source, to, "rope_freqs.weight");
    }

    [Theory]
    [InlineData(false, true, false, "attention bias")]
    [InlineData(true, false, true, "feed-forward bias")]
    public void BiasesThatSettingsCannotSay(bool qkv, bool output, bool mlp, string named)
    {
        string gguf = new TinyModel(32, 44, 1, 2, 1, 16, 40) { QkvBias = qkv, OutputBias = output, MlpBias = mlp }.Randomize(1).WriteGguf(_folder.At("a.gguf"), "llama");
        using Checkpoint source = Checkpoint.Open(gguf);
        Fails(source, "hf", named);
        _folder.Convert(gguf, "meta");
    }

    [Fact]
    public void AScalingThatGgufHasNoKeyFor()
    {
        using Checkpoint source = Checkpoint.Open(Tiny(1, """, "rope_scaling": {"type": "dynamic", "factor": 2}"""));
        Fails(source, "b.gguf", "dynamic");
    }

    [Theory]
    [InlineData("model.norm.weight", "hf/nested/deep")]
    [InlineData("model.norm.weight", "meta/nested")]
    [InlineData("model.layers.0.mlp.down_proj.weight", "hf")]
    [InlineData("model.layers.0.mlp.down_proj.weight", "b.gguf")]
    public void AValueThatHalfPrecisionCannotHold(string tensor, string to)
    {
        TinyModel tiny = new TinyModel(32, 44, 1, 2, 1, 16, 40).Randomize(2);
        tiny.Tensors[tensor].Values[3] = -65520;
        using Checkpoint source = Checkpoint.Open(tiny.WriteHuggingFace(_folder.At("source")));
        Fails(source, to, "-65520", FileType.F16);
    }

    [Fact]
    public void ABiasThatHalfPrecisionCannotHoldIsFoundWhereItIsReordered()
    {
        TinyModel tiny = new TinyModel(32, 44, 1, 2, 1, 16, 40) { QkvBias = true, OutputBias = true }.Randomize(2);
        tiny.Tensors["model.layers.0.self_attn.k_proj.bias"].Values[3] = 1e6f;
        using Checkpoint source = Checkpoint.Open(tiny.WriteHuggingFace(_folder.At("source")));
        Fails(source, "meta", "layers.0.attention.wk.bias", FileType.F16);
    }

    [Fact]
    public void AValueThatBfloat16WouldRoundToInfinity()
    {
        TinyModel tiny = new TinyModel(32, 44, 1, 2, 1, 16, 40).Randomize(2);
        tiny.Tensors["model.norm.weight"].Values[3] = 3.4e38f;
        using Checkpoint source = Checkpoint.Open(tiny.WriteHuggingFace(_folder.At("source")));
        Fails(source, "hf", "bf16", FileType.BF16);
    }

    [Theory]
    [InlineData("hf")]
    [InlineData("meta")]
    public void ADestinationThatIsAFile(string to)
    {
        using Checkpoint source = Checkpoint.Open(Tiny(3));
        File.WriteAllText(_folder.At(to), "keep");
        Fails(source, to, "there is a file of this name");
        File.Move(_folder.At(to), _folder.At("other"));
        Fails(source, "other/" + to, "other");
        Assert.Equal("keep", File.ReadAllText(_folder.At("other")));
    }

    [Fact]
    public void ADestinationThatIsAFolderOrInNone()
    {
        using Checkpoint source = Checkpoint.Open(Tiny(3));
        Directory.CreateDirectory(_folder.At("b.gguf"));
        Fails(source, "b.gguf", "there is a folder of this name");
        Fails(source, "none/b.gguf", "its folder does not exist");
        Directory.CreateDirectory(_folder.At("hf", "config.json"));
        Fails(source, "hf", "config.json");
    }

    [Fact]
    public void FilesOfAnotherModelAtTheDestination()
    {
        string with = Tiny(3);
        File.Copy(TestFiles.Fixture("tokenizers", "tiny-spm", "tokenizer.model"), Path.Combine(Wide(with), "tokenizer.model"));
        using Checkpoint source = Checkpoint.Open(with);
        Directory.CreateDirectory(_folder.At("hf"));
        File.WriteAllText(_folder.At("hf", "tokenizer.json"), "{}");
        Fails(source, "hf", "tokenizer.json");
        File.Move(_folder.At("hf", "tokenizer.json"), _folder.At("hf", "model.safetensors"));
        Fails(source, "hf", "model.safetensors", maxFileBytes: 3000);
        Directory.CreateDirectory(_folder.At("meta"));
        File.WriteAllText(_folder.At("meta", "config.json"), "{}");
        Fails(source, "meta", "config.json");
    }

    [Fact]
    public void OptionsThatAFormatDoesNotHave()
    {
        using Checkpoint source = Checkpoint.Open(Tiny(3));
        Fails(source, "meta", "largest size", maxFileBytes: 3000);
        Fails(source, "hf", "q4_0", FileType.Q4_0);
        Fails(source, "meta", "q8_0", FileType.Q8_0);
    }

    /// <summary>A vocabulary that is not understood stops the conversion where it would have to be translated, not where it is copied.</summary>
    [Fact]
    public void AVocabularyThatIsNotUnderstood()
    {
        string with = Tiny(3);
        File.WriteAllText(Path.Combine(with, "tokenizer.model"), "no such thing");
        using Checkpoint source = Checkpoint.Open(with);
        Fails(source, "b.gguf", "tokenizer.model");
        Fails(source, "meta", "tokenizer.model");
        string copy = _folder.Convert(with, "copy");
        Assert.Equal("no such thing", File.ReadAllText(Path.Combine(copy, "tokenizer.model")));
    }

    [Theory]
    [InlineData("hf")]
    [InlineData("meta")]
    [InlineData("b.gguf")]
    public void CancellingInTheMiddle(string to)
    {
        using Checkpoint source = Checkpoint.Open(Tiny(4));
        using var cancel = new CancellationTokenSource();
        string[] before = [.. _folder.Entries];
        Assert.Throws<OperationCanceledException>(() => CheckpointConverter.Convert(source, _folder.At(to), Options(to), new After(cancel), cancel.Token));
        Assert.Equal(before, _folder.Entries);
    }

    private static ConversionOptions Options(string to, FileType? type = null, long maxFileBytes = long.MaxValue) => new()
    {
        Format = to.EndsWith(".gguf", StringComparison.Ordinal) ? CheckpointFormat.Gguf
            : to.Contains("meta", StringComparison.Ordinal) ? CheckpointFormat.Meta
            : CheckpointFormat.Safetensors,
        Type = type,
        MaxFileBytes = maxFileBytes,
    };

    /// <summary>The same model with 1024 rows of embedding, so that the vocabularies of the fixtures fit.</summary>
    private static string Wide(string folder) => new TinyModel(32, 44, 1, 2, 1, 16, 1024).Randomize(3).WriteHuggingFace(folder);

    private string Tiny(int seed, string more = "") => new TinyModel(32, 44, 1, 2, 1, 16, 40).Randomize(seed).WriteHuggingFace(_folder.At("source"), more: more);

    private void Fails(Checkpoint source, string to, string expected, FileType? type = null, long maxFileBytes = long.MaxValue)
    {
        string[] before = [.. _folder.Entries];
        PunaException e = Assert.ThrowsAny<PunaException>(() => CheckpointConverter.Convert(source, _folder.At(to.Split('/')), Options(to, type, maxFileBytes)));
        Assert.Contains(expected, e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
        Assert.Equal(before, _folder.Entries);
    }

    private sealed class After(CancellationTokenSource cancel) : IProgress<ConversionProgress>
    {
        public void Report(ConversionProgress value)
        {
            if (value.BytesWritten > value.TotalBytes / 2)
            {
                cancel.Cancel();
            }
        }
    }
}
