using System.Buffers.Binary;
using Puna.Formats.Meta;
using Puna.Tensors;
using Puna.Tests.Shared;

namespace Puna.Formats.Tests.Meta;

public class Llama2cFileTests
{
    // D, F, L, H, K, V, context: head width 2, so 2 floats of tables per position.
    private static readonly int[] _header = [4, 6, 2, 2, 1, 5, 3];

    [Theory]
    [InlineData(false, true)]
    [InlineData(true, true)]
    [InlineData(false, false)]
    [InlineData(true, false)]
    public void FindsEveryTensor(bool output, bool tables)
    {
        using var folder = new ScratchFolder();
        File.WriteAllBytes(folder.File("m.bin"), Make(_header, output, tables));
        using Llama2cFile file = Llama2cFile.Open(folder.File("m.bin"));
        Assert.Equal(new Llama2cHeader(4, 6, 2, 2, 1, 5, 3, output), file.Header);
        Assert.Equal(2, file.Header.HeadDim);

        // The order of spec llama1-3.md 3.5; every value is its number in the file.
        (string Kind, long[] Shape)[] kinds =
        [
            ("attention_norm", [4]), ("attention.wq", [4, 4]), ("attention.wk", [2, 4]), ("attention.wv", [2, 4]), ("attention.wo", [4, 4]),
            ("ffn_norm", [4]), ("feed_forward.w1", [6, 4]), ("feed_forward.w2", [4, 6]), ("feed_forward.w3", [6, 4]),
        ];
        int at = 0;
        Expect("tok_embeddings.weight", [5, 4]);
        foreach ((string kind, long[] shape) in kinds)
        {
            Expect($"layers.0.{kind}.weight", shape);
            Expect($"layers.1.{kind}.weight", shape);
        }

        Expect("norm.weight", [4]);
        at += tables ? 3 * 2 : 0;
        Assert.Equal(output, file.TryGetInfo("output.weight", out _));
        if (output)
        {
            Expect("output.weight", [5, 4]);
        }

        Assert.Equal(output ? 21 : 20, file.Tensors.Count);
        Assert.Contains("tensor none: not in the file", Assert.Throws<FileFormatException>(() => file.GetTensor("none")).Message, StringComparison.Ordinal);

        void Expect(string name, long[] shape)
        {
            Tensor tensor = file.GetTensor(name);
            Assert.Equal(shape, tensor.Shape.ToArray());
            Assert.Equal(Enumerable.Range(at, (int)tensor.Shape.Count).Select(x => (float)x), MetaFiles.Floats(tensor));
            Assert.Equal(28 + (4 * at), file.Tensors.Single(x => x.Name == name).Offset);
            at += (int)tensor.Shape.Count;
        }
    }

    [Theory]
    [InlineData(0, 0, "width", "got 0")]
    [InlineData(0, -4, "width", "got -4")]
    [InlineData(0, 5, "heads", "width 5")]
    [InlineData(0, 2, "heads", "even")]
    [InlineData(0, int.MaxValue - 3, "tok_embeddings.weight")]
    [InlineData(1, 0, "feed-forward")]
    [InlineData(1, int.MaxValue, "w1")]
    [InlineData(2, 0, "layers")]
    [InlineData(2, 3, "expected")]
    [InlineData(2, int.MaxValue, "layers", "at most 4096")]
    [InlineData(3, 0, "heads")]
    [InlineData(3, 3, "heads")]
    [InlineData(4, 0, "key-value")]
    [InlineData(4, 3, "key-value", "divisor of 2, got 3")]
    [InlineData(5, 0, "vocabulary")]
    [InlineData(5, int.MinValue, "vocabulary")]
    [InlineData(5, int.MaxValue, "tok_embeddings.weight")]
    [InlineData(6, 0, "context")]
    [InlineData(6, 4, "bytes")]
    [InlineData(6, int.MaxValue, "bytes")]
    public void RefusesHeadersThatDoNotFit(int field, int value, params string[] parts)
    {
        byte[] bytes = Make(_header, false, true);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(4 * field), value);
        Refuses(bytes, parts);
    }

    [Fact]
    public void RefusesEveryOtherLength()
    {
        byte[] bytes = Make(_header, true, true);
        int without = bytes.Length - (3 * 2 * 4);
        foreach (int length in Enumerable.Range(0, 40).Concat(Enumerable.Range(without - 5, bytes.Length - without + 5)))
        {
            if (length != without)
            {
                Refuses(bytes[..length]);
            }
        }

        Refuses([.. bytes, 0], $"expected {bytes.Length} bytes", $"(or {without}", $"got {bytes.Length + 1}");
        Assert.Throws<PunaException>(() => Llama2cFile.Open("nowhere.bin"));
    }

    /// <summary>The published file against its Hugging Face form: equal bits, rotary rows permuted.</summary>
    [Fact]
    public void HasTheBitsOfTheOriginal()
    {
        using Llama2cFile file = Llama2cFile.Open(TestFiles.Asset("stories260K", "stories260K.bin"));
        var original = new SafetensorsOracle(TestFiles.Asset("stories260K", "model.safetensors"));
        Assert.Equal(new Llama2cHeader(64, 172, 5, 8, 4, 512, 512, false), file.Header);
        foreach (TensorInfo info in file.Tensors)
        {
            (long[] shape, byte[] bytes) = original.Meta(info.Name, file.Header.NHeads, file.Header.NKvHeads);
            Assert.Equal(shape, info.Shape.ToArray());
            Assert.Equal(bytes, TensorBytes.Of(file.GetTensor(info.Name)));
        }

        Assert.Equal(original.Count, file.Tensors.Count);
    }

    private static byte[] Make(int[] header, bool output, bool tables)
    {
        int d = header[0], f = header[1], layers = header[2], keyValue = d / header[3] * header[4], vocab = header[5];
        int floats = (vocab * d) + (layers * ((2 * d) + (2 * d * d) + (2 * d * keyValue) + (3 * d * f))) + d + (tables ? header[6] * d / header[3] : 0) + (output ? vocab * d : 0);
        var bytes = new byte[28 + (4 * floats)];
        for (int i = 0; i < 7; i++)
        {
            BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(4 * i), i == 5 && output ? -vocab : header[i]);
        }

        for (int i = 0; i < floats; i++)
        {
            BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(28 + (4 * i)), i);
        }

        return bytes;
    }

    private static void Refuses(byte[] bytes, params string[] parts)
    {
        using var folder = new ScratchFolder();
        File.WriteAllBytes(folder.File("m.bin"), bytes);
        string message = Assert.Throws<FileFormatException>(() => Llama2cFile.Open(folder.File("m.bin"))).Message;
        Assert.All(parts, x => Assert.Contains(x, message, StringComparison.Ordinal));
    }
}
