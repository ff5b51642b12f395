using System.Text;
using Puna.Formats.Meta;
using Puna.Tensors;

namespace Puna.Formats.Tests.Meta;

public class TorchPickleTests
{
    private const string GoodTensor = "t";

    /// <summary>Types by the storage classes of torch (spec llama1-3.md 3.1).</summary>
    [Theory]
    [InlineData("FloatStorage", DType.F32)]
    [InlineData("HalfStorage", DType.F16)]
    [InlineData("BFloat16Storage", DType.BF16)]
    [InlineData("DoubleStorage", DType.F64)]
    [InlineData("LongStorage", DType.I64)]
    [InlineData("IntStorage", DType.I32)]
    [InlineData("ShortStorage", DType.I16)]
    [InlineData("CharStorage", DType.I8)]
    [InlineData("ByteStorage", DType.U8)]
    [InlineData("BoolStorage", DType.Bool)]
    public void ReadsATensor(string storage, DType expected)
    {
        byte[] pickle = PickleBytes.Start().Op("}q").Raw(0).Op("(").Text("a.weight").Tensor("17", storage, 40, 4, [3, 5], [6, 1]).Op("u.").Bytes();
        TorchTensor tensor = Assert.Single(Read(pickle));
        Assert.Equal("a.weight", tensor.Name);
        Assert.Equal("17", tensor.StorageKey);
        Assert.Equal(expected, tensor.DType);
        Assert.Equal(40, tensor.StorageCount);
        Assert.Equal(4, tensor.Offset);
        Assert.Equal([3, 5], tensor.Size);
        Assert.Equal([6, 1], tensor.Stride);
    }

    /// <summary>Types without a storage class: a storage of bytes, and the type behind the hooks, as torch.Tensor.__reduce_ex__ has it since 2.1.</summary>
    [Fact]
    public void ReadsFloatsOfEightBits()
    {
        byte[] Typed(string module, string type) => PickleBytes.Start().Op("}").Text("w").Global("torch._utils", "_rebuild_tensor_v3").Op("((").Text("storage").Global("torch.storage", "UntypedStorage")
            .Text("3").Text("cpu").Op("K").Raw(12).Op("tQK").Raw(2).Op("K").Raw(2).Op("K").Raw(5).Raw(0x86).Op("K").Raw(5).Op("K").Raw(1).Raw(0x86, 0x89).Global("collections", "OrderedDict").Op(")R")
            .Global(module, type).Op("tRs.").Bytes();
        TorchTensor tensor = Assert.Single(Read(Typed("torch", "float8_e4m3fn")));
        Assert.Equal((DType.F8_E4M3, 12, 2), (tensor.DType, tensor.StorageCount, tensor.Offset));
        Assert.Equal([2, 5], tensor.Size);
        Assert.Equal([5, 1], tensor.Stride);
        Refuses(Typed("torch", "FloatStorage"), "the arguments of torch._utils._rebuild_tensor_v3");
    }

    [Fact]
    public void ReadsParametersAndOrderedDicts()
    {
        byte[] pickle = PickleBytes.Start().Global("collections", "OrderedDict").Op(")R(").Text("p")
            .Global("torch._utils", "_rebuild_parameter").Op("(").Tensor("0", "HalfStorage", 2, 0, [2], [1]).Raw(0x88).Global("collections", "OrderedDict").Op(")RtR")
            .Text("scalar").Tensor("1", "FloatStorage", 1, 0, [], []).Op("u")
            .Op("}").Text("_metadata").Op("}sb.").Bytes();
        Assert.Equal(["p", "scalar"], Read(pickle).Select(x => x.Name));
    }

    [Fact]
    public void ReadsADictUnderModelAndPassesOverOtherValues()
    {
        byte[] pickle = PickleBytes.Start().Op("}(").Text("step").Op("K").Raw(3).Text("loss").Op("G").Raw(0x3f, 0xd0, 0, 0, 0, 0, 0, 0)
            .Text("none").Op("N").Text("yes").Raw(0x88).Text("big").Raw(0x8a, 9, 255, 255, 255, 255, 255, 255, 255, 255, 0).Text("list").Op("](K").Raw(1).Op("K").Raw(2).Op("e")
            .Text("one").Op("]K").Raw(1).Op("a").Text("tuple").Op("(NNt").Int(5).Op("N")
            .Text("model").Op("}").Text("w").Tensor("0", "FloatStorage", 4, 0, [4], [1]).Op("su.").Bytes();
        Assert.Equal("w", Assert.Single(Read(pickle)).Name);
    }

    [Fact]
    public void ReadsProtocol4()
    {
        // The same opcodes with frames, short strings and the implicit memo.
        byte[] Short(string text) => [0x8c, (byte)text.Length, .. Encoding.ASCII.GetBytes(text)];
        byte[] body =
        [
            .. "}"u8, 0x94, .. Short("w"), 0x94, .. Short("torch._utils"), 0x94, .. Short("_rebuild_tensor_v2"), 0x94, 0x93, 0x94, .. "("u8,
            .. "("u8, .. Short("storage"), .. Short("torch"), .. Short("IntStorage"), 0x93, .. Short("0"), .. Short("cpu"), .. "K\u0004tQ"u8,
            .. "K\0K\u0004"u8, 0x85, .. "K\u0001"u8, 0x85, 0x89, .. Short("collections"), .. Short("OrderedDict"), 0x93, .. ")RtRs."u8,
        ];
        byte[] pickle = [0x80, 4, 0x95, (byte)body.Length, 0, 0, 0, 0, 0, 0, 0, .. body];
        Assert.Equal(DType.I32, Assert.Single(Read(pickle)).DType);
        Refuses([0x80, 4, 0x95, 0xff, 0, 0, 0, 0, 0, 0, 0, .. body], "FRAME");
    }

    [Fact]
    public void MemoGivesBackWhatWasPut()
    {
        byte[] pickle = PickleBytes.Start().Op("}(").Text("a").Op("r").Raw(1, 2, 0, 0).Tensor("0", "FloatStorage", 4, 0, [4], [1]).Op("q").Raw(9)
            .Text("b").Op("h").Raw(9).Text("c").Op("j").Raw(9, 0, 0, 0).Op("u.").Bytes();
        Assert.Equal(["a", "b", "c"], Read(pickle).Select(x => x.Name));
    }

    [Theory]
    [InlineData("os", "system")]
    [InlineData("posix", "system")]
    [InlineData("builtins", "eval")]
    [InlineData("torch", "load")]
    [InlineData("torch._utils", "_rebuild_tensor_v4")]
    [InlineData("torch", "uint16")]
    [InlineData("torch._utils._rebuild_tensor_v2", "__globals__")]
    [InlineData("torch", "floatstorage")]
    [InlineData("collections", "OrderedDict ")]
    [InlineData("", "")]
    public void RefusesForeignGlobalsByName(string module, string name)
    {
        byte[] pickle = PickleBytes.Start().Op("}").Text("x").Global(module, name).Op("(").Text("echo gotcha").Op("tRs.").Bytes();
        Refuses(pickle, $"global {module}.{name}", "GLOBAL 'c'", "at byte 9");
        Refuses([0x80, 4, .. "X"u8, (byte)module.Length, 0, 0, 0, .. Encoding.ASCII.GetBytes(module), 0x8c, (byte)name.Length, .. Encoding.ASCII.GetBytes(name), 0x93], $"global {module}.{name}", "STACK_GLOBAL");
    }

    [Fact]
    public void RefusesAForeignGlobalBeforeAnyProtocolIsNamed() => Refuses("cos\nsystem\n(S'echo'\ntR."u8.ToArray(), "global os.system");

    [Theory]
    [InlineData((byte)'i', "INST 'i'")]
    [InlineData((byte)'o', "OBJ 'o'")]
    [InlineData((byte)'P', "PERSID 'P'")]
    [InlineData((byte)'S', "STRING 'S'")]
    [InlineData((byte)'0', "POP '0'")]
    [InlineData((byte)'d', "DICT 'd'")]
    [InlineData(0x81, "NEWOBJ 0x81")]
    [InlineData(0x82, "EXT1 0x82")]
    [InlineData(0x92, "NEWOBJ_EX 0x92")]
    [InlineData(0x97, "NEXT_BUFFER 0x97")]
    [InlineData(0xff, "0xff")]
    [InlineData(0x00, "0x00")]
    public void RefusesForeignOpcodesByName(byte op, string name) => Refuses([0x80, 2, (byte)'}', op, .. "os\nsystem\n."u8], $"opcode {name}", "at byte 3");

    /// <summary>As torch.save writes the <c>_extra_state</c> of Llama 4's parts, an <c>io.BytesIO</c>: read from pickletools' listing.</summary>
    [Fact]
    public void PassesOverAStreamOfBytes()
    {
        byte[] pickle = PickleBytes.Start().Op("}(").Text("extra").Global("_io", "BytesIO").Op(")").Raw(0x81)
            .Global("_codecs", "encode").Text("abc").Text("latin1").Raw(0x86).Op("RK").Raw(0).Op("N").Raw(0x87).Op("b")
            .Text("a").Tensor("0", "FloatStorage", 4, 0, [4], [1]).Op("u.").Bytes();
        Assert.Equal("a", Assert.Single(TorchPickle.Read(pickle, "test")).Name);
        Refuses(PickleBytes.Start().Op("}(").Text("x").Global("collections", "OrderedDict").Op(")").Raw(0x81).Op("u.").Bytes(), "opcode NEWOBJ", "stream of bytes");
    }

    [Fact]
    public void EveryOpcodeIsReadOrRefused()
    {
        for (int op = 0; op < 256; op++)
        {
            foreach (byte[] before in (byte[][])[[], [.. "}"u8], [.. "NN"u8], [.. "("u8], [.. "}(NN"u8], [.. "})"u8]])
            {
                foreach (int after in (int[])[0, 1, 4, 9])
                {
                    Refuses([0x80, 2, .. before, (byte)op, .. new byte[after]]);
                }
            }
        }
    }

    [Fact]
    public void RefusesEveryTruncation()
    {
        byte[] pickle = PickleBytes.Start().Op("}q").Raw(0).Op("(").Text("a.weight").Tensor("17", "HalfStorage", 40, 4, [3, 5], [6, 1]).Op("u.").Bytes();
        for (int length = 0; length < pickle.Length; length++)
        {
            Refuses(pickle[..length]);
        }

        Refuses([.. pickle, 0], "STOP");
    }

    [Fact]
    public void RefusesMemoMisuse()
    {
        Refuses(PickleBytes.Start().Op("h").Raw(0).Bytes(), "BINGET", "memo slot 0");
        Refuses(PickleBytes.Start().Op("j").Raw(1, 2, 3, 4).Bytes(), "LONG_BINGET", "memo slot 67305985");
        Refuses(PickleBytes.Start().Op("q").Raw(0).Bytes(), "BINPUT");
        Refuses(PickleBytes.Start().Op("N(q").Raw(0).Bytes(), "BINPUT");
        Refuses(PickleBytes.Start().Raw(0x94).Bytes(), "MEMOIZE");
    }

    [Fact]
    public void RefusesStackMisuse()
    {
        Refuses(PickleBytes.Start().Op(".").Bytes(), "STOP");
        Refuses(PickleBytes.Start().Op("}}.").Bytes(), "STOP", "1 values");
        Refuses(PickleBytes.Start().Op("}(.").Bytes(), "STOP");
        Refuses(PickleBytes.Start().Op("t").Bytes(), "TUPLE", "mark");
        Refuses(PickleBytes.Start().Op("N").Raw(0x86).Bytes(), "TUPLE2", "2 values");
        Refuses(PickleBytes.Start().Op("NN(N").Raw(0x87).Bytes(), "TUPLE3");
        Refuses(PickleBytes.Start().Op("NNs").Bytes(), "SETITEM");
        Refuses(PickleBytes.Start().Op("NNNs").Bytes(), "SETITEM", "dict");
        Refuses(PickleBytes.Start().Op("}(Nu").Bytes(), "SETITEMS", "pairs");
        Refuses(PickleBytes.Start().Op("(NNu").Bytes(), "SETITEMS");
        Refuses(PickleBytes.Start().Op("(}NNu").Bytes(), "SETITEMS");
        Refuses(PickleBytes.Start().Op("Na").Bytes(), "APPEND");
        Refuses(PickleBytes.Start().Op("}(Ne").Bytes(), "APPENDS", "list");
        Refuses(PickleBytes.Start().Op("b").Bytes(), "BUILD");
        Refuses(PickleBytes.Start().Op("Nb").Bytes(), "BUILD");
        Refuses(PickleBytes.Start().Op("R").Bytes(), "REDUCE");
        Refuses(PickleBytes.Start().Op("N)R").Bytes(), "REDUCE", "global");
        Refuses(PickleBytes.Start().Global("collections", "OrderedDict").Op("NR").Bytes(), "REDUCE", "tuple");
        Refuses(PickleBytes.Start().Global("collections", "OrderedDict").Op("N").Raw(0x85).Op("R").Bytes(), "REDUCE", "collections.OrderedDict");
        Refuses(PickleBytes.Start().Global("torch", "FloatStorage").Op(")R").Bytes(), "REDUCE", "torch.FloatStorage");
        Refuses(PickleBytes.Start().Op("NQ").Bytes(), "BINPERSID");
        Refuses(PickleBytes.Start().Op("NN").Raw(0x93).Bytes(), "STACK_GLOBAL", "name");
    }

    [Fact]
    public void RefusesDeepNesting()
    {
        Refuses(PickleBytes.Start().Op(new string('(', 100_000)).Bytes(), "MARK", "64");
        Refuses(PickleBytes.Start().Op(")").Raw([.. Enumerable.Repeat((byte)0x85, 100_000)]).Op(".").Bytes(), "64 tuples");
    }

    [Fact]
    public void RefusesTooManyValues()
    {
        Refuses(PickleBytes.Start().Op(new string('N', (1 << 20) + 1)).Bytes(), "1048576 values");
        Refuses(PickleBytes.Start().Op("](" + new string('}', 1 << 20) + "e.").Bytes(), "1048576 values");
        string again = string.Concat(Enumerable.Repeat("(h\0h\0h\0h\0u", 300_000));
        Refuses(PickleBytes.Start().Op("}q\0").Op(again).Op(".").Bytes(), "1048576 values"); // a dict filled from the memo again and again
        Refuses(new byte[TorchPickle.MaxBytes + 1], "at most 16777216 bytes");
    }

    [Fact]
    public void RefusesDictsThatContainThemselves() => Refuses(PickleBytes.Start().Op("}q").Raw(0).Text("model").Op("h").Raw(0).Op("s.").Bytes(), "without a tensor");

    [Fact]
    public void RefusesWhatIsNoDictOfTensors()
    {
        Refuses(PickleBytes.Start().Op("N.").Bytes(), "dict");
        Refuses(PickleBytes.Start().Op("].").Bytes(), "dict");
        Refuses(PickleBytes.Start().Op("}.").Bytes(), "without a tensor");
        Refuses(PickleBytes.Start().Tensor("0", "FloatStorage", 1, 0, [1], [1]).Op(".").Bytes(), "dict");
        Refuses(PickleBytes.Start().Op("}N").Tensor("0", "FloatStorage", 1, 0, [1], [1]).Op("s.").Bytes(), "name that is text");
    }

    [Fact]
    public void RefusesDuplicateKeys()
    {
        Refuses(PickleBytes.Start().Op("}(").Text("w").Tensor("0", "FloatStorage", 1, 0, [1], [1]).Text("w").Tensor("1", "FloatStorage", 1, 0, [1], [1]).Op("u.").Bytes(), "key w", "once");
        Refuses(PickleBytes.Start().Op("}(").Text("w").Tensor("0", "FloatStorage", 1, 0, [1], [1]).Text("w").Op("Nu.").Bytes(), "key w", "once");
    }

    [Fact]
    public void RefusesWrongTensors()
    {
        Refuses(PickleBytes.One(GoodTensor, -1, 0, [1], [1]), "BINPERSID", "storage");
        Refuses(PickleBytes.One(GoodTensor, 4, -1, [1], [1]), "offset");
        Refuses(PickleBytes.One(GoodTensor, 4, 0, [-1], [1]), "sizes of at least 0");
        Refuses(PickleBytes.One(GoodTensor, 4, 0, [1], [-1]), "strides of at least 0");
        Refuses(PickleBytes.One(GoodTensor, 4, 0, [1, 1], [1]), "tensor t", "as many strides as sizes");
        Refuses(PickleBytes.One(GoodTensor, 4, 0, [1, 1, 1, 1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 1, 1, 1, 1, 1]), "at most 8 dimensions");
        Refuses(PickleBytes.Start().Global("torch._utils", "_rebuild_tensor_v2").Op(")R.").Bytes(), "_rebuild_tensor_v2");
        Refuses(PickleBytes.Start().Global("torch._utils", "_rebuild_parameter").Op("(N").Raw(0x88).Op("}tR.").Bytes(), "_rebuild_parameter");
        Refuses(PickleBytes.Start().Op("(").Text("module").Global("torch", "FloatStorage").Text("0").Text("cpu").Int(4).Op("tQ").Bytes(), "BINPERSID");
        Refuses(PickleBytes.Start().Op("(").Text("storage").Global("collections", "OrderedDict").Text("0").Text("cpu").Int(4).Op("tQ").Bytes(), "BINPERSID");
        Refuses(PickleBytes.Start().Op("(").Text("storage").Global("torch", "FloatStorage").Text("0").Text("cpu").Text("4").Op("tQ").Bytes(), "BINPERSID");
    }

    [Fact]
    public void RefusesBadText()
    {
        Refuses(PickleBytes.Start().Op("X").Raw(1, 0, 0, 0, 0xff).Bytes(), "UTF-8");
        Refuses(PickleBytes.Start().Op("X").Raw(255, 255, 255, 255).Bytes(), "cut off");
        Refuses(PickleBytes.Start().Op("c" + new string('x', 300) + "\n").Bytes(), "GLOBAL", "256");
        Refuses(PickleBytes.Start().Raw(0x80, 1).Bytes(), "protocol");
        Refuses(PickleBytes.Start().Raw(0x80, 6).Bytes(), "protocol");
    }

    [Fact]
    public void MessagesStayOnOneLine() => Refuses(PickleBytes.Start().Op("X").Raw(3, 0, 0, 0).Op("a\r\n").Raw(0x8c, 2).Op("\n\u001b").Raw(0x93).Bytes(), "global a");

    private static IReadOnlyList<TorchTensor> Read(byte[] pickle) => TorchPickle.Read(pickle, "data.pkl");

    private static void Refuses(byte[] pickle, params string[] parts)
    {
        string message = Assert.Throws<FileFormatException>(() => Read(pickle)).Message;
        Assert.DoesNotContain(message, char.IsControl);
        foreach (string part in parts)
        {
            Assert.Contains(part, message, StringComparison.Ordinal);
        }
    }
}
