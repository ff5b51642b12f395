using Puna.Formats.Safetensors;
using Puna.Models.Checkpoints;
using Puna.Models.Conversion;
using Puna.Models.Quantization;
using Puna.Tensors;
using Puna.Tests.Shared;

namespace Puna.Models.Tests;

public sealed class ConversionTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("puna-convert-").FullName;

    public static TheoryData<string> Models => ["llama1-mha", "llama2-gqa", "codellama", "llama3-gqa", "llama31-scaled", "llama32-tied", "mqa", "rope-linear", "rope-yarn", "trained-tiny"];

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>Hugging Face to GGUF to Meta to Hugging Face: every tensor's bytes and every logit come back.</summary>
    [Theory]
    [MemberData(nameof(Models))]
    public void RoundTripThroughAllFormatsIsBitExact(string name)
    {
        string gguf = Path.Combine(_folder, "model.gguf");
        string meta = Path.Combine(_folder, "meta");
        string back = Path.Combine(_folder, "back");
        string original = TestFiles.GoldenModel(name);
        Convert(original, gguf, CheckpointFormat.Gguf);
        Convert(gguf, meta, CheckpointFormat.Meta);
        Convert(meta, back, CheckpointFormat.Safetensors);

        using Checkpoint first = Checkpoint.Open(original);
        using Checkpoint last = Checkpoint.Open(back);
        foreach ((string parameter, Shape _) in first.Config.Parameters())
        {
            Tensor a = first.GetTensor(parameter);
            Tensor b = last.GetTensor(parameter);
            Assert.Equal((a.DType, a.Shape), (b.DType, b.Shape));
            for (int r = 0; r < a.Rows; r++)
            {
                Assert.True(a.Row<byte>(r).SequenceEqual(b.Row<byte>(r)), $"{parameter} row {r}");
            }
        }

        int[] ids = [1, 5, 300, 7, 7, 31, 2, 90, 11, 4];
        float[] logits = Runner.Whole(first.Load(), ids);
        foreach (string path in new[] { gguf, meta, back })
        {
            using Checkpoint other = Checkpoint.Open(path);
            Assert.Equal(logits, Runner.Whole(other.Load(), ids));
            Assert.Equal(first.Config.TiedEmbeddings, other.Config.TiedEmbeddings);
            Assert.Equal(first.Config.ContextLength, other.Config.ContextLength);
        }
    }

    [Theory]
    [InlineData("trained-tiny", "model.safetensors", "q8_0")]
    [InlineData("trained-tiny", "model.safetensors", "q4_0")]
    [InlineData("trained-tiny", "model.safetensors", "q4_k_m")]
    [InlineData("gguf-quants", "f32.gguf", "f16")]
    [InlineData("gguf-quants", "f32.gguf", "bf16")]
    [InlineData("gguf-quants", "f32.gguf", "q4_0")]
    [InlineData("gguf-quants", "f32.gguf", "q4_1")]
    [InlineData("gguf-quants", "f32.gguf", "q5_0")]
    [InlineData("gguf-quants", "f32.gguf", "q5_1")]
    [InlineData("gguf-quants", "f32.gguf", "q8_0")]
    [InlineData("gguf-quants", "f32.gguf", "q2_k")]
    [InlineData("gguf-quants", "f32.gguf", "q3_k_m")]
    [InlineData("gguf-quants", "f32.gguf", "q4_k_m")]
    [InlineData("gguf-quants", "f32.gguf", "q5_k_m")]
    [InlineData("gguf-quants", "f32.gguf", "q6_k")]
    [InlineData("gguf-quants", "f32.gguf", "iq4_nl")]
    public void QuantisingGivesTheBytesOfThePeer(string golden, string file, string type)
    {
        string path = Path.Combine(_folder, "quantised.gguf");
        Assert.True(FileTypes.TryParse(type, out FileType fileType));
        Convert(TestFiles.Golden(golden, file), path, CheckpointFormat.Gguf, fileType);
        using Checkpoint ours = Checkpoint.Open(path);
        using Checkpoint peer = Checkpoint.Open(TestFiles.Golden(golden, type + ".gguf"));
        foreach ((string parameter, Shape _) in peer.Config.Parameters())
        {
            Tensor a = peer.GetTensor(parameter);
            Tensor b = ours.GetTensor(parameter);
            Assert.Equal(a.DType, b.DType);
            for (int r = 0; r < a.Rows; r++)
            {
                Assert.True(a.Row<byte>(r).SequenceEqual(b.Row<byte>(r)), $"{parameter} row {r}");
            }
        }
    }

    [Fact]
    public void RowOrderIsThePublishedOne()
    {
        // spec llama1-3.md 2.3: Hugging Face's order of Meta's rows, head size 8.
        Assert.Equal([0, 2, 4, 6, 1, 3, 5, 7], Enumerable.Range(0, 8).Select(r => RowOrder.Source(r, 8, RopeLayout.Interleaved, RopeLayout.HalfSplit)));
        for (int r = 0; r < 24; r++)
        {
            Assert.Equal(r, RowOrder.Source(RowOrder.Source(r, 8, RopeLayout.HalfSplit, RopeLayout.Interleaved), 8, RopeLayout.Interleaved, RopeLayout.HalfSplit));
        }
    }

    [Fact]
    public void BlockTypesFitOnlyGguf()
    {
        using Checkpoint source = Checkpoint.Open(TestFiles.GoldenModel("mqa"));
        PunaException e = Assert.Throws<PunaException>(() => CheckpointConverter.Convert(
            source, Path.Combine(_folder, "x"), new ConversionOptions { Format = CheckpointFormat.Safetensors, Type = FileType.Q4_0 }, cancel: TestContext.Current.CancellationToken));
        Assert.Contains("q4_0", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AValueThatATypeCannotHoldIsAnError()
    {
        string folder = Path.Combine(_folder, "large");
        Convert(TestFiles.GoldenModel("llama2-gqa"), folder, CheckpointFormat.Safetensors);
        using (SafetensorsFile file = SafetensorsFile.Open(folder, map: false))
        {
            file.GetTensor("model.layers.1.mlp.up_proj.weight").Row<float>(3)[5] = 1e6f;
            using var writer = new SafetensorsWriter(Path.Combine(folder, "model.safetensors"));
            foreach (Formats.TensorInfo info in file.Tensors)
            {
                writer.Declare(info.Name, info.DType, info.Shape);
            }

            writer.Begin();
            while (writer.Current is { } tensor)
            {
                writer.WriteTensor(file.GetTensor(tensor.Name));
            }

            writer.Complete();
        }

        string result = Path.Combine(_folder, "half.gguf");
        PunaException e = Assert.Throws<PunaException>(() => Convert(folder, result, CheckpointFormat.Gguf, FileType.F16));
        Assert.Contains("layers.1.feed_forward.w3.weight row 3", e.Message, StringComparison.Ordinal);
        Assert.Equal([folder], Directory.EnumerateFileSystemEntries(_folder));
    }

    [Fact]
    public void CancellingLeavesNothingBehind()
    {
        using Checkpoint source = Checkpoint.Open(TestFiles.GoldenModel("mqa"));
        using var cancel = new CancellationTokenSource();
        cancel.Cancel();
        Assert.Throws<OperationCanceledException>(() => CheckpointConverter.Convert(
            source, Path.Combine(_folder, "x.gguf"), new ConversionOptions { Format = CheckpointFormat.Gguf }, cancel: cancel.Token));
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder));
    }

    private static void Convert(string from, string to, CheckpointFormat format, FileType? type = null)
    {
        using Checkpoint source = Checkpoint.Open(from);
        CheckpointConverter.Convert(source, to, new ConversionOptions { Format = format, Type = type });
    }
}
