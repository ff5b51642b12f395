using Puna.Formats.Meta;
using Puna.Tensors;
using Puna.Tests.Shared;

namespace Puna.Formats.Tests.Meta;

/// <summary>The goldens in Meta's layout against the Hugging Face checkpoints they were made from: equal bits, rotary rows permuted.</summary>
public class MetaGoldenTests
{
    [Theory]
    [InlineData("llama2-gqa", "1x-bfloat16", 1)]
    [InlineData("llama2-gqa", "2x-float32", 2)]
    [InlineData("llama3-gqa", "1x-bfloat16", 1)]
    [InlineData("llama3-gqa", "2x-float32", 2)]
    public void HasTheBitsOfTheOriginal(string model, string form, int parts)
    {
        using MetaCheckpoint checkpoint = MetaCheckpoint.Open(TestFiles.Golden($"meta-{model}-{form}"));
        var original = new SafetensorsOracle(TestFiles.Golden(model, "model.safetensors"));
        Assert.Equal(parts, checkpoint.Parts);
        Assert.Equal(176, checkpoint.Params!.FfnHidden);
        Assert.Equal(original.Count, checkpoint.Tensors.Count(x => x.Name != "rope.freqs"));
        Assert.Equal(model == "llama2-gqa", checkpoint.TryGetInfo("rope.freqs", out _));
        foreach (TensorInfo info in checkpoint.Tensors.Where(x => x.Name != "rope.freqs"))
        {
            (long[] shape, byte[] bytes) = original.Meta(info.Name, checkpoint.Params.NHeads, checkpoint.Params.KvHeads);
            Tensor tensor = checkpoint.GetTensor(info.Name);
            Assert.Equal(shape, tensor.Shape.ToArray());
            Assert.Equal(form == "1x-bfloat16" ? DType.BF16 : DType.F32, tensor.DType);
            Assert.Equal(tensor.DType == DType.BF16 ? SafetensorsOracle.ToBFloat16(bytes) : bytes, TensorBytes.Of(tensor));
        }
    }

    /// <summary>Through the writer, in one, two and four parts, and back; four parts are more than the two key-value heads.</summary>
    [Theory]
    [InlineData("meta-llama2-gqa-2x-float32", 1)]
    [InlineData("meta-llama2-gqa-1x-bfloat16", 2)]
    [InlineData("meta-llama3-gqa-2x-float32", 4)]
    public void SurvivesTheWriter(string golden, int parts)
    {
        using MetaCheckpoint checkpoint = MetaCheckpoint.Open(TestFiles.Golden(golden));
        using var folder = new ScratchFolder();
        MetaWriterTests.Copy(checkpoint, folder.File("copy"), parts);
        using MetaCheckpoint copy = MetaCheckpoint.Open(folder.File("copy"));
        Assert.Equal(parts, copy.Parts);
        MetaWriterTests.AssertSame(checkpoint, copy);
    }
}
