using System.Text;
using Puna.Formats;
using Puna.Formats.Safetensors;
using Puna.Models.Checkpoints;
using Puna.Models.Conversion;
using Puna.Models.Packing;
using Puna.Models.Vision;
using Puna.Tensors;
using Puna.Tests.Shared;

namespace Puna.Models.Tests.Vision;

/// <summary>The ways in which the model lies on disk give the same bits; what does not fit is named.</summary>
public sealed class MllamaCheckpointTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("puna-mllama").FullName;
    private readonly MllamaGolden _golden = new();

    public void Dispose()
    {
        _golden.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void NewerPrefixesOfHuggingFaceAreTheSameModel()
    {
        // transformers from 4.52 on: model.language_model.*, model.vision_model.*, model.multi_modal_projector.*, lm_head.
        WriteSafetensors(name => name switch
        {
            "language_model.lm_head.weight" => "lm_head.weight",
            _ when name.StartsWith("language_model.model.", StringComparison.Ordinal) => "model.language_model." + name["language_model.model.".Length..],
            _ => "model." + name,
        });
        using Checkpoint checkpoint = Checkpoint.Open(_folder);
        Assert.Equal(Logits(_golden.Model), Logits(checkpoint.Load()));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void MetasFilesAreTheSameModel(int parts)
    {
        // A model of Hugging Face whose tables hold, for every aspect ratio, the cells of Meta's; empty slots have zeros there (spec llama1-3.md 4.7).
        Dictionary<string, float[]> cells = MetaMllamaFiles.Cells(_golden.Checkpoint);
        MetaMllamaFiles.Write(_golden.Checkpoint, cells, _folder, parts);
        Llama other = Llama.Build(_golden.Checkpoint.Config, _golden.Checkpoint.RopeLayout, name =>
        {
            Tensor tensor = _golden.Checkpoint.GetTensor(name);
            return new Weight(name, cells.TryGetValue(name, out float[]? table) ? MetaMllamaFiles.ByAspectRatio(table, tensor.Shape, _golden.Checkpoint.Config.Vision!) : tensor);
        });
        using Checkpoint checkpoint = Checkpoint.Open(_folder);
        Assert.Equal((8, 320, 320), (checkpoint.Config.Vision!.ExtraEmbeddings, checkpoint.Config.Vision.ImageToken, checkpoint.Config.Vocab));
        float[] logits = Logits(checkpoint.Load());
        Assert.Equal(Logits(other), logits);
        Assert.NotEqual(Logits(_golden.Model), logits);
        using var ops = new CpuOps(2);
        Assert.Equal(logits, Logits(checkpoint.LoadPacked(ops)));
        Assert.Contains("expected a model of text alone", Assert.Throws<PunaException>(() => CheckpointConverter.Convert(checkpoint, Path.Combine(_folder, "to"), new ConversionOptions { Format = CheckpointFormat.Safetensors }, cancel: TestContext.Current.CancellationToken)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ConversionKeepsEverythingOrSaysWhatItCannotDo()
    {
        string copy = Path.Combine(_folder, "copy"), halves = Path.Combine(_folder, "halves");
        CheckpointConverter.Convert(_golden.Checkpoint, copy, new ConversionOptions { Format = CheckpointFormat.Safetensors }, cancel: TestContext.Current.CancellationToken);
        using Checkpoint same = Checkpoint.Open(copy);
        Assert.Equal(Logits(_golden.Model), Logits(same.Load()));
        CheckpointConverter.Convert(_golden.Checkpoint, halves, new ConversionOptions { Format = CheckpointFormat.Safetensors, Type = Models.Quantization.FileType.BF16 }, cancel: TestContext.Current.CancellationToken);
        using Checkpoint rounded = Checkpoint.Open(halves);

        // Weights of 8 bits: logits of 2 move by about a hundredth.
        float[] logits = Logits(rounded.Load());
        Assert.InRange(GoldenIo.MaxDifference(Logits(_golden.Model), logits), 1e-4, 0.1);
        using var ops = new CpuOps(2);
        Assert.Equal(logits, Logits(rounded.LoadPacked(ops)));
        foreach (CheckpointFormat format in new[] { CheckpointFormat.Gguf, CheckpointFormat.Meta })
        {
            string to = Path.Combine(_folder, "other");
            Assert.Equal(
                $"format {format.ToString().ToLowerInvariant()}: expected a model of text alone, or safetensors made of safetensors, got mllama in safetensors",
                Assert.Throws<PunaException>(() => CheckpointConverter.Convert(_golden.Checkpoint, to, new ConversionOptions { Format = format }, cancel: TestContext.Current.CancellationToken)).Message);
            Assert.False(Path.Exists(to));
        }

        Assert.Contains("expected a model of text alone, got mllama", Assert.Throws<PunaException>(() => _golden.Checkpoint.Adapt(_folder)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ThePackCacheKeepsItToo()
    {
        using var ops = new CpuOps(2);
        var warnings = new List<string>();
        var cache = new PackCache(_folder, warnings.Add);
        float[] expected = Logits(_golden.Model);
        Assert.Equal(expected, Logits(cache.Load(_golden.Checkpoint, ops, TestContext.Current.CancellationToken)));
        string file = Assert.Single(Directory.EnumerateFiles(_folder, "*.punapack"));
        DateTime written = File.GetLastWriteTimeUtc(file);
        Assert.Equal(expected, Logits(cache.Load(_golden.Checkpoint, ops, TestContext.Current.CancellationToken)));
        Assert.Equal(written, File.GetLastWriteTimeUtc(file));
        Assert.Empty(warnings);
    }

    [Fact]
    public void AConfigThatIsWrittenIsReadAsItWas()
    {
        LlamaConfig config = LlamaPresets.All["llama-3.2-90b-vision"];
        string file = Path.Combine(_folder, "config.json");
        File.WriteAllBytes(file, HuggingFaceConfigWriter.Write(config, DType.BF16));
        LlamaConfig read = HuggingFaceConfig.Read(file);
        Assert.Equal(config.Parameters(), read.Parameters());
        MllamaConfig expected = config.Vision!, vision = read.Vision!;
        Assert.Equal(expected.CrossLayers, vision.CrossLayers);
        Assert.Equal(expected.Taps, vision.Taps);
        Assert.Equal(expected.AspectRatios, vision.AspectRatios);
        Assert.Equal(expected with { CrossLayers = vision.CrossLayers, Taps = vision.Taps, AspectRatios = vision.AspectRatios }, vision);
        Assert.Equal((config.ContextLength, config.RopeScaling, config.RopeTheta, config.BosId), (read.ContextLength, read.RopeScaling, read.RopeTheta, read.BosId));
        Assert.Equal(config.EosIds, read.EosIds);
    }

    [Theory]
    [InlineData("\"hidden_act\": \"gelu\"", "\"hidden_act\": \"quick_gelu\"", "setting vision_config.hidden_act: expected gelu, got \"quick_gelu\"")]
    [InlineData("\"vision_output_dim\": 128", "\"vision_output_dim\": 96", "setting vision_config.vision_output_dim: expected 128, the encoder's width for its end and for each of its 3 intermediate layers, got 96")]
    [InlineData("\"num_channels\": 3", "\"num_channels\": 4", "setting vision_config.num_channels: expected 3, got 4")]
    [InlineData("\"vision_config\"", "\"vision\"", "setting vision_config: expected the settings of the vision encoder, got none")]
    [InlineData("\"image_size\": 28", "\"image_size\": 27", "image size: expected a multiple of the patch size 7, got 27")]
    [InlineData("\"max_num_tiles\": 4", "\"max_num_tiles\": 0", "tiles of an image: expected 1 to 256, got 0")]
    [InlineData("\"image_size\": 28", "\"image_size\": 14", "tensor vision_model.gated_positional_embedding.embedding: expected [5, 32], got [17, 32]")]
    [InlineData("\"num_hidden_layers\": 6,\n  \"num_key", "\"num_hidden_layers\": 2,\n  \"num_key", "layers: expected 1 to 10000, got 0")]
    public void SettingsThatDoNotFitAreNamed(string old, string changed, string message)
    {
        WriteSafetensors(static name => name);
        string file = Path.Combine(_folder, "config.json"), text = File.ReadAllText(file);
        Assert.Contains(old, text, StringComparison.Ordinal);
        File.WriteAllText(file, text.Replace(old, changed, StringComparison.Ordinal));
        Assert.Contains(message, Assert.ThrowsAny<PunaException>(() => Checkpoint.Open(_folder).Dispose()).Message, StringComparison.Ordinal);
    }

    private float[] Logits(Llama model)
    {
        using var ops = new CpuOps(2);
        using CrossStates states = CrossStates.Compute(model, ops, [_golden.Image], _golden.Mask);
        int[] ids = [.. _golden.Ids];
        ids[2] = 320;
        return MllamaGolden.Whole(model, [ids], [states], ops)[0];
    }

    private void WriteSafetensors(Func<string, string> rename)
    {
        File.Copy(Path.Combine(TestFiles.GoldenModel("llama32-vision"), "config.json"), Path.Combine(_folder, "config.json"));
        using var writer = new SafetensorsWriter(Path.Combine(_folder, "model.safetensors"));
        foreach (TensorInfo info in _golden.Checkpoint.File.Tensors)
        {
            writer.Declare(rename(info.Name), info.DType, info.Shape);
        }

        writer.Begin();
        foreach (TensorInfo info in _golden.Checkpoint.File.Tensors)
        {
            writer.WriteTensor(_golden.Checkpoint.File.GetTensor(info.Name));
        }

        writer.Complete();
    }
}
