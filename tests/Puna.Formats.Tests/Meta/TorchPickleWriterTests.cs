using Puna.Formats.Meta;
using Puna.Tensors;

namespace Puna.Formats.Tests.Meta;

public class TorchPickleWriterTests
{
    [Fact]
    public void WritesTheTensorsOfACheckpoint()
    {
        byte[] pickle = TorchPickleWriter.Write([Spec("w", DType.BF16, 70000, 3), Spec("b", DType.F32, 300), Spec("s", DType.I64), Spec("e", DType.U8, 2, 0, 4, 5)]);
        IReadOnlyList<TorchTensor> tensors = TorchPickle.Read(pickle, "x");
        Assert.Equal(["w 0 BF16 210000 [70000,3] [3,1]", "b 1 F32 300 [300] [1]", "s 2 I64 1 [] []", "e 3 U8 0 [2,0,4,5] [20,20,5,1]"], tensors.Select(Show));

        static string Show(TorchTensor t) => $"{t.Name} {t.StorageKey} {t.DType} {t.StorageCount} [{string.Join(',', t.Size)}] [{string.Join(',', t.Stride)}]";
    }

    [Fact]
    public void IsWhatAnAssemblerByHandMakes()
    {
        byte[] expected =
        [
            0x80, 2, .. "}(X\u0001\0\0\0ac"u8, .. "torch._utils\n_rebuild_tensor_v2\n((X\u0007\0\0\0storagectorch\nHalfStorage\nX\u0001\0\0\00X\u0003\0\0\0cpuM\u002c\u0001tQK\0"u8,
            .. "M\u002c\u0001"u8, 0x85, .. "K\u0001"u8, 0x85, 0x89, .. "ccollections\nOrderedDict\n)RtRu."u8,
        ];
        Assert.Equal(expected, TorchPickleWriter.Write([Spec("a", DType.F16, 300)]));
    }

    [Fact]
    public void FloatsOfEightBitsAreReadBack()
    {
        TorchTensor tensor = Assert.Single(TorchPickle.Read(TorchPickleWriter.Write([Spec("x", DType.F8_E4M3, 3, 7)]), "x"));
        Assert.Equal((DType.F8_E4M3, 21), (tensor.DType, tensor.StorageCount));
        Assert.Equal([3, 7], tensor.Size);
    }

    [Fact]
    public void LargeSizesAreWrittenWhole()
    {
        TorchTensor tensor = Assert.Single(TorchPickle.Read(TorchPickleWriter.Write([Spec("x", DType.U8, 1L << 31, 200)]), "x"));
        Assert.Equal((1L << 31) * 200, tensor.StorageCount);
        Assert.Equal([1L << 31, 200], tensor.Size);
    }

    [Fact]
    public void OnlyTorchTypesAreHeld()
    {
        Assert.True(TorchPickleWriter.CanHold(DType.BF16));
        Assert.False(TorchPickleWriter.CanHold(DType.Q4_0));
        Assert.False(TorchPickleWriter.CanHold(DType.U16));
    }

    private static TensorSpec Spec(string name, DType type, params long[] sizes) => new(name, type, new Shape(sizes), 0);
}
