using System.Globalization;
using Puna.Formats.Meta;
using Puna.Tensors;
using Puna.Tests.Shared;

namespace Puna.Formats.Tests.Meta;

public class MetaCheckpointTests
{
    private const int Dim = 8, Heads = 4, KvHeads = 2, Ffn = 16, Vocab = 12;

    /// <summary>Names and shapes in the order of tests/fixtures/meta/make.py.</summary>
    private static readonly (string Name, long[] Shape)[] _expected =
    [
        ("tok_embeddings.weight", [Vocab, Dim]),
        .. Enumerable.Range(0, 2).SelectMany(i => new (string, long[])[]
        {
            ($"layers.{i}.attention.wq.weight", [Dim, Dim]),
            ($"layers.{i}.attention.wk.weight", [KvHeads * (Dim / Heads), Dim]),
            ($"layers.{i}.attention.wv.weight", [KvHeads * (Dim / Heads), Dim]),
            ($"layers.{i}.attention.wo.weight", [Dim, Dim]),
            ($"layers.{i}.feed_forward.w1.weight", [Ffn, Dim]),
            ($"layers.{i}.feed_forward.w2.weight", [Dim, Ffn]),
            ($"layers.{i}.feed_forward.w3.weight", [Ffn, Dim]),
            ($"layers.{i}.attention_norm.weight", [Dim]),
            ($"layers.{i}.ffn_norm.weight", [Dim]),
        }),
        ("norm.weight", [Dim]),
        ("output.weight", [Vocab, Dim]),
        ("rope.freqs", [1]),
    ];

    /// <summary>Fixtures written by torch; their values are a formula (make.py), so merging and strides show.</summary>
    [Theory]
    [InlineData("two-parts-by-columns", 2, DType.F32, -1, true)]
    [InlineData("two-parts-by-columns", 2, DType.F32, -1, false)]
    [InlineData("two-parts-by-rows", 2, DType.F16, Vocab, true)]
    [InlineData("views", 1, DType.F32, Vocab, true)]
    [InlineData("views", 1, DType.F32, Vocab, false)]
    public void ReadsWhatTorchWrites(string fixture, int parts, DType type, int vocab, bool map)
    {
        using MetaCheckpoint checkpoint = MetaCheckpoint.Open(TestFiles.Fixture("meta", fixture), map);
        Assert.Equal(parts, checkpoint.Parts);
        Assert.Equal((Dim, Ffn, vocab), (checkpoint.Params!.Dim, (int)checkpoint.Params.FfnHidden, checkpoint.Params.VocabSize));
        Assert.Equal(_expected.Select(x => x.Name), checkpoint.Tensors.Select(x => x.Name));
        for (int t = 0; t < _expected.Length; t++)
        {
            (string name, long[] sizes) = _expected[t];
            Assert.True(checkpoint.TryGetInfo(name, out TensorInfo? info));
            Assert.Same(checkpoint.Tensors[t], info);
            Tensor tensor = checkpoint.GetTensor(name);
            Assert.Equal((type, new Shape(sizes)), (info.DType, info.Shape));
            Assert.Equal((type, new Shape(sizes)), (tensor.DType, tensor.Shape));
            Assert.Equal(tensor.ByteLength, info.ByteLength);
            int number = fixture == "views" && name == "output.weight" ? 0 : t; // tied there
            Assert.Equal(Enumerable.Range(0, (int)info.Shape.Count).Select(e => (float)(((89 * number) + e) % 2048)), MetaFiles.Floats(tensor));
            Assert.Equal(0, tensor.Address % type.BlockBytes());
        }
    }

    [Fact]
    public void ContiguousTensorsOfOnePartAreViewsOfTheFile()
    {
        using MetaCheckpoint checkpoint = MetaCheckpoint.Open(TestFiles.Fixture("meta", "views"));
        Tensor embedding = checkpoint.GetTensor("tok_embeddings.weight"), output = checkpoint.GetTensor("output.weight");
        Assert.IsType<MemoryMappedStorage>(embedding.Storage);
        Assert.Equal((embedding.Storage, embedding.Offset), (output.Storage, output.Offset)); // tied: one storage
        Assert.Equal(checkpoint.Tensors[0].Offset, embedding.Offset);
        Assert.IsType<NativeStorage>(checkpoint.GetTensor("layers.0.attention.wo.weight").Storage); // transposed
        Assert.IsType<MemoryMappedStorage>(checkpoint.GetTensor("layers.0.feed_forward.w2.weight").Storage); // begins inside its storage
    }

    [Fact]
    public void APartOpensTheWholeCheckpoint()
    {
        using MetaCheckpoint checkpoint = MetaCheckpoint.Open(TestFiles.Fixture("meta", "two-parts-by-rows", "consolidated.01.pth"));
        Assert.Equal(2, checkpoint.Parts);
        Assert.Equal(500000, checkpoint.Params!.RopeTheta);
        Assert.False(checkpoint.TryGetInfo("layers.2.attention.wq.weight", out _));
        Refuses(() => checkpoint.GetTensor("layers.2.attention.wq.weight"), "tensor layers.2.attention.wq.weight: not in the file");
    }

    [Fact]
    public void OpensSingleFiles()
    {
        using ScratchFolder folder = MetaFiles.CopyOf("views");
        File.Move(folder.File("consolidated.00.pth"), folder.File("consolidated.pth"));
        Assert.True(MetaCheckpoint.IsIn(folder.Path));
        using (MetaCheckpoint checkpoint = MetaCheckpoint.Open(folder.Path))
        {
            Assert.Equal(_expected.Length, checkpoint.Tensors.Count);
        }

        File.Move(folder.File("consolidated.pth"), folder.File("model.pth"));
        File.Delete(folder.File("params.json"));
        Assert.False(MetaCheckpoint.IsIn(folder.Path));
        using MetaCheckpoint other = MetaCheckpoint.Open(folder.File("model.pth"));
        Assert.Null(other.Params);
        Assert.Equal(_expected.Length, other.Tensors.Count);
    }

    [Fact]
    public void NamesMissingFiles()
    {
        Refuses(() => MetaCheckpoint.Open(Path.Combine(Path.GetTempPath(), "no-such-folder")), "no-such-folder", "not found");
        using ScratchFolder folder = MetaFiles.CopyOf("two-parts-by-rows");
        Refuses(() => MetaCheckpoint.Open(folder.File("consolidated.02.pth")), "consolidated.02.pth", "not found");
        File.Copy(folder.File("consolidated.01.pth"), folder.File("consolidated.03.pth"));
        Refuses(() => MetaCheckpoint.Open(folder.Path), "consolidated.02.pth", "3 of 4");
        File.Delete(folder.File("consolidated.03.pth"));
        File.Move(folder.File("consolidated.00.pth"), folder.File("x"));
        Refuses(() => MetaCheckpoint.Open(folder.Path), "consolidated.00.pth", "missing");
        File.Move(folder.File("x"), folder.File("consolidated.00.pth"));
        File.Delete(folder.File("consolidated.01.pth"));
        Refuses(() => MetaCheckpoint.Open(folder.Path), "consolidated.01.pth", "expected 2 parts, got 1");
        File.Delete(folder.File("params.json"));
        Refuses(() => MetaCheckpoint.Open(folder.Path), "params.json", "not found");
        File.Delete(folder.File("consolidated.00.pth"));
        Refuses(() => MetaCheckpoint.Open(folder.Path), "expected consolidated.00.pth", folder.Path);
    }

    [Fact]
    public void PartsMustAgree()
    {
        RefusesParts("tensor w", Pickle("norm.weight", [4]), Pickle("w.weight", [4]));
        RefusesParts("expected f32 [4] as in consolidated.00.pth, got f32 [2, 2]", Pickle("norm.weight", [4]), Pickle("norm.weight", [2, 2]));
        byte[] half = PickleBytes.Start().Op("}").Text("norm.weight").Tensor("0", "IntStorage", 4, 0, [4], [1]).Op("s.").Bytes();
        RefusesParts("expected f32 [4] as in consolidated.00.pth, got i32 [4]", Pickle("norm.weight", [4]), half);
        RefusesParts("tensor extra", Pickle("norm.weight", [4]), PickleBytes.Start().Op("}(").Text("norm.weight").Tensor("0", "FloatStorage", 4, 0, [4], [1])
            .Text("extra").Tensor("0", "FloatStorage", 4, 0, [4], [1]).Op("u.").Bytes());
        RefusesParts("tensor foreign.weight", Pickle("foreign.weight", [4]), Pickle("foreign.weight", [4]));
        RefusesParts("tensor layers.0.attention.wo.weight", Pickle("layers.0.attention.wo.weight", [4]), Pickle("layers.0.attention.wo.weight", [4]));
        RefusesParts("tensor output.weight", Pickle("output.weight", []), Pickle("output.weight", []));

        static byte[] Pickle(string name, long[] size) => PickleBytes.One(name, size.Length == 0 ? 1 : 4, 0, size, size.Length == 2 ? [2, 1] : [.. size.Select(_ => 1L)]);
    }

    /// <summary>Four parts, two key-value heads: each head is in two parts (spec llama1-3.md 3.1, the 16-part 405B).</summary>
    [Fact]
    public void RepeatedKeyValueHeadsAreReadOnce()
    {
        using var folder = new ScratchFolder();
        const string Params = """{"dim": 8, "n_layers": 1, "n_heads": 4, "n_kv_heads": 2}""";
        byte[][] parts = [.. Enumerable.Range(0, 4).Select(i => Part(i, i / 2))];
        Write(folder, Params, parts);
        using (MetaCheckpoint checkpoint = MetaCheckpoint.Open(folder.Path))
        {
            Assert.Equal(new Shape(8, 2), checkpoint.Tensors[0].Shape);
            Assert.Equal(new Shape(4, 2), checkpoint.Tensors[1].Shape);
            Assert.Equal([0, 1, 2, 3, 10, 11, 12, 13, 20, 21, 22, 23, 30, 31, 32, 33], MetaFiles.Floats(checkpoint.GetTensor("layers.0.attention.wq.weight")));
            Assert.Equal([100, 101, 102, 103, 110, 111, 112, 113], MetaFiles.Floats(checkpoint.GetTensor("layers.0.attention.wk.weight")));
        }

        // Where params.json counts every copy, so does the reader.
        Write(folder, Params.Replace("\"n_kv_heads\": 2", "\"n_kv_heads\": 4", StringComparison.Ordinal), parts);
        using (MetaCheckpoint checkpoint = MetaCheckpoint.Open(folder.Path))
        {
            Assert.Equal(new Shape(8, 2), checkpoint.Tensors[1].Shape);
        }

        Write(folder, Params, [parts[0], Part(1, 5), parts[2], parts[3]]);
        using (MetaCheckpoint checkpoint = MetaCheckpoint.Open(folder.Path))
        {
            Refuses(() => checkpoint.GetTensor("layers.0.attention.wk.weight"), "consolidated.01.pth", "same key-value head as in consolidated.00.pth");
        }

        static byte[] Part(int query, int key) => ZipBytes.Torch(
            PickleBytes.Start().Op("}(").Text("layers.0.attention.wq.weight").Tensor("0", "FloatStorage", 4, 0, [2, 2], [2, 1])
                .Text("layers.0.attention.wk.weight").Tensor("1", "FloatStorage", 4, 0, [2, 2], [2, 1]).Op("u.").Bytes(),
            MetaFiles.Bytes([.. Enumerable.Range(10 * query, 4).Select(x => (float)x)]),
            MetaFiles.Bytes([.. Enumerable.Range(100 + (10 * key), 4).Select(x => (float)x)]));
    }

    [Theory]
    [InlineData(24, 0, "2,3,4", "12,4,1")] // plain
    [InlineData(24, 0, "4,3,2", "1,4,12")] // all axes reversed
    [InlineData(24, 5, "3,2", "6,2")] // a corner with gaps
    [InlineData(24, 3, "2,1,3", "9,999999999999,1")] // the stride of a dimension of one does not matter
    [InlineData(24, 23, "", "")] // a scalar
    [InlineData(24, 24, "0,5", "5,1")] // nothing, at the very end
    [InlineData(24, 1, "4", "6")] // a column
    public void ReadsStridedTensors(int count, int offset, string size, string stride)
    {
        long[] sizes = Longs(size), strides = Longs(stride);
        using var folder = new ScratchFolder();
        File.WriteAllBytes(folder.File("x.pth"), ZipBytes.Torch(PickleBytes.One("x", count, offset, sizes, strides), MetaFiles.Bytes([.. Enumerable.Range(0, count).Select(x => (float)x)])));
        using MetaCheckpoint checkpoint = MetaCheckpoint.Open(folder.File("x.pth"));
        var expected = new List<float> { offset };
        for (int d = 0; d < sizes.Length; d++)
        {
            expected = [.. expected.SelectMany(x => Enumerable.Range(0, (int)sizes[d]).Select(i => x + (i * strides[d])))];
        }

        Assert.Equal(expected, MetaFiles.Floats(checkpoint.GetTensor("x")));
    }

    /// <summary>Names of Llama 4's modules outside of such a module are names like any others.</summary>
    [Theory]
    [InlineData("fc1_weight")]
    [InlineData("fc2_weight")]
    [InlineData("mlp.fc2_weight")]
    [InlineData("moe_w_in_eD_F")]
    [InlineData("moe_w_swiglu_eD_F.weight")]
    [InlineData("moe_w_out_eF_D")]
    public void AModulesNameAloneIsNoModule(string name)
    {
        using MetaCheckpoint checkpoint = Parse(PickleBytes.One(name, 4, 0, [2, 2], [2, 1]), MetaFiles.Bytes(1, 2, 3, 4));
        Assert.Equal(name, Assert.Single(checkpoint.Tensors).Name);
    }

    /// <summary>A file in memory is taken to pieces as one on disk is, so that what mutates files in memory meets that code.</summary>
    [Fact]
    public void AFileInMemoryIsTakenToPiecesToo()
    {
        using MetaCheckpoint checkpoint = Parse(PickleBytes.One("layers.0.feed_forward.mlp.fc1_weight", 4, 0, [2, 2], [2, 1]), MetaFiles.Bytes(1, 2, 3, 4));
        Assert.Equal(["layers.0.feed_forward.w1.weight", "layers.0.feed_forward.w3.weight"], checkpoint.Tensors.Select(static t => t.Name));
        Assert.Equal([3, 4], MetaFiles.Floats(checkpoint.GetTensor("layers.0.feed_forward.w3.weight")));
    }

    /// <summary>Experts without values could be any number of them.</summary>
    [Fact]
    public void ExpertsHaveValues()
    {
        byte[] pickle = PickleBytes.Start().Op("}(").Text("layers.0.feed_forward.router_DE").Tensor("0", "FloatStorage", 1, 0, [0, 16384], [1, 1])
            .Text("layers.0.feed_forward.experts.moe_w_in_eD_F").Tensor("0", "FloatStorage", 1, 0, [16384, 0], [1, 1]).Op("u.").Bytes();
        Refuses(() => Parse(pickle, MetaFiles.Bytes(1)), "tensor layers.0.feed_forward.experts.moe_w_in_eD_F", "16384 experts");
    }

    [Fact]
    public void MisalignedDataIsCopied()
    {
        using var folder = new ScratchFolder();
        byte[] pickle = PickleBytes.One("x", 3, 0, [3], [1]);
        for (int shift = 0; shift < 4; shift++)
        {
            File.WriteAllBytes(folder.File("x.pth"), new ZipBytes().Add("a/data.pkl", pickle).Add("a/" + new string('p', 7 + shift), []).Add("a/data/0", MetaFiles.Bytes(1, 2, 3), align: 1).End());
            using MetaCheckpoint checkpoint = MetaCheckpoint.Open(folder.File("x.pth"));
            Tensor x = checkpoint.GetTensor("x");
            Assert.Equal(0, x.Address % 4);
            Assert.Equal(checkpoint.Tensors[0].Offset % 4 == 0, x.Storage is MemoryMappedStorage);
            Assert.Equal([1, 2, 3], MetaFiles.Floats(x));
        }
    }

    [Theory]
    [InlineData(4, 0, "5", "1", "inside a storage of 4")]
    [InlineData(4, 1, "4", "1", "inside a storage of 4")]
    [InlineData(4, 4, "1", "1", "inside a storage of 4")]
    [InlineData(4, 4, "", "", "inside a storage of 4")]
    [InlineData(4, 5, "0", "1", "inside a storage of 4")]
    [InlineData(4, 9223372036854775807, "1", "1", "inside a storage of 4")]
    [InlineData(4, 0, "2,2", "3,1", "inside a storage of 4")]
    [InlineData(4, 0, "2,2", "9223372036854775807,1", "inside a storage of 4")]
    [InlineData(4, 2, "3,3", "4611686018427387904,4611686018427387904", "inside a storage of 4")]
    [InlineData(4, 0, "9223372036854775807", "1", "2^63 bytes")]
    [InlineData(4, 0, "2305843009213693951", "1", "inside a storage of 4")]
    [InlineData(4, 0, "2305843009213693951", "0", "repeated values")]
    [InlineData(4, 0, "5,1", "0,1", "repeated values")]
    [InlineData(4, 0, "4294967296,4294967296", "0,0", "63 bits")]
    [InlineData(4, 0, "4294967296,4294967296,0", "0,0,0", "63 bits")]
    [InlineData(5, 0, "4", "1", "storage of 5 f32 values, got 16 bytes")]
    [InlineData(3, 0, "3", "1", "storage of 3 f32 values, got 16 bytes")]
    [InlineData(4611686018427387905, 0, "4", "1", "storage of 4611686018427387905 f32 values, got 16 bytes")]
    public void RefusesTensorsOutsideTheirStorage(long count, long offset, string size, string stride, string part)
    {
        using var folder = new ScratchFolder();
        File.WriteAllBytes(folder.File("x.pth"), ZipBytes.Torch(PickleBytes.One("bad", count, offset, Longs(size), Longs(stride)), MetaFiles.Bytes(1, 2, 3, 4)));
        Refuses(() => MetaCheckpoint.Open(folder.File("x.pth")), "tensor bad", part, "x.pth");
    }

    [Fact]
    public void RefusesWhatIsNoCheckpoint()
    {
        byte[] pickle = PickleBytes.One("x", 1, 0, [1], [1]), one = MetaFiles.Bytes(1);
        RefusesFile([], "empty");
        RefusesFile([0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, (byte)'.'], "before version 1.6");
        RefusesFile("version https://git-lfs.github.com/spec/v1\n"u8.ToArray(), "begins with 7665");
        RefusesFile([(byte)'P'], "begins with 50");
        RefusesFile(new ZipBytes().Add("archive/data/0", one).End(), "PREFIX/data.pkl");
        RefusesFile(new ZipBytes().Add("data.pkl", pickle).Add("data/0", one).End(), "PREFIX/data.pkl");
        RefusesFile(new ZipBytes().Add("a/data.pkl", pickle).Add("a/data/0", one).Add("b/data.pkl", pickle).End(), "a/data.pkl", "b/data.pkl");
        RefusesFile(new ZipBytes().Add("a/data.pkl", pickle).Add("b/data/0", one).End(), "tensor x", "a/data/0");
        RefusesFile(new ZipBytes().Add("a/data.pkl", pickle).Add("a/data/0", one).Add("a/byteorder", "big"u8.ToArray()).End(), "byte order");
        RefusesFile(new ZipBytes().Add("a/data.pkl", new byte[TorchPickle.MaxBytes + 1]).End(), "a/data.pkl", "16777216");
        RefusesFile(ZipBytes.Torch(PickleBytes.Start().Global("os", "system").Op("(").Text("echo gotcha").Op("tR.").Bytes()), "global os.system", "at byte");
        RefusesFile(new ZipBytes().Add("a/data.pkl", pickle, method: 8).Add("a/data/0", one).End(), "a/data.pkl", "deflate");
        RefusesFile(ZipBytes.Torch(PickleBytes.Start().Op("}").Text("x").Tensor("../0", "FloatStorage", 1, 0, [1], [1]).Op("s.").Bytes(), one), "archive/data/../0");
    }

    /// <summary>Cut anywhere, or with any byte changed, a file is read or refused; nothing else happens.</summary>
    [Fact]
    public void SurvivesDamage()
    {
        byte[] good = ZipBytes.Torch(PickleBytes.Start().Op("}(").Text("a").Tensor("0", "FloatStorage", 6, 0, [2, 3], [3, 1])
            .Text("b").Tensor("0", "FloatStorage", 6, 1, [2, 2], [3, 1]).Op("u.").Bytes(), MetaFiles.Bytes(1, 2, 3, 4, 5, 6));
        using var folder = new ScratchFolder();
        int read = 0, refused = 0;
        for (int i = 0; i < good.Length; i++)
        {
            Try(good[..i]);
            foreach (byte flip in (byte[])[1, 0xff])
            {
                byte[] bad = [.. good];
                bad[i] ^= flip;
                Try(bad);
            }
        }

        Assert.True(read > 100 && refused > 1000, $"{read} read, {refused} refused");

        void Try(byte[] bytes)
        {
            File.WriteAllBytes(folder.File("x.pth"), bytes);
            try
            {
                using MetaCheckpoint checkpoint = MetaCheckpoint.Open(folder.File("x.pth"), map: false);
                foreach (TensorInfo tensor in checkpoint.Tensors)
                {
                    _ = TensorBytes.Of(checkpoint.GetTensor(tensor.Name));
                }

                read++;
            }
            catch (FileFormatException e)
            {
                Assert.DoesNotContain(e.Message, char.IsControl);
                refused++;
            }
        }
    }

    /// <summary>A storage beyond 4 GB, with 64-bit sizes and offsets; the file is one large hole.</summary>
    [Fact]
    public void ReadsBeyondFourGigabytes()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "files with holes need preparation on Windows");
        const long Hole = 5L << 30;
        using var folder = new ScratchFolder();
        using (FileStream file = File.Create(folder.File("big.pth")))
        {
            var zip = new ZipBytes(file);
            byte[] pickle = PickleBytes.Start().Op("}(").Text("big").Tensor("0", "ByteStorage", Hole, 0, [5, 1L << 30], [1L << 30, 1])
                .Text("last").Tensor("1", "FloatStorage", 3, 0, [3], [1]).Op("u.").Bytes();
            zip.Add("a/data.pkl", pickle).Add("a/data/0", [], wide: true, length: Hole).Skip(Hole);
            zip.Add("a/data/1", MetaFiles.Bytes(7, 8, 9), wideOffset: true).End(zip64: true);
        }

        using MetaCheckpoint checkpoint = MetaCheckpoint.Open(folder.File("big.pth"));
        Assert.True(checkpoint.Tensors[1].Offset > Hole);
        Assert.Equal([7, 8, 9], MetaFiles.Floats(checkpoint.GetTensor("last")));
        Assert.Equal(Hole, checkpoint.Tensors[0].ByteLength);
        Assert.Equal(0, checkpoint.GetTensor("big").Row<byte>(4)[^1]);
    }

    private static MetaCheckpoint Parse(byte[] pickle, byte[] values)
    {
        byte[] file = ZipBytes.Torch(pickle, values);
        var storage = new NativeStorage(file.Length, clear: false);
        file.CopyTo(new Tensor(storage, 0, new Shape(file.Length), DType.U8).Row<byte>(0));
        return MetaCheckpoint.Parse(storage, "memory.pth");
    }

    private static long[] Longs(string list) => [.. list.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(x => long.Parse(x, CultureInfo.InvariantCulture))];

    private static void Write(ScratchFolder folder, string parameters, params byte[][] parts)
    {
        File.WriteAllText(folder.File("params.json"), parameters);
        for (int i = 0; i < parts.Length; i++)
        {
            File.WriteAllBytes(folder.File($"consolidated.{i:00}.pth"), parts[i]);
        }
    }

    private static void RefusesParts(string expected, params byte[][] pickles)
    {
        using var folder = new ScratchFolder();
        Write(folder, """{"dim": 4, "n_layers": 1, "n_heads": 1}""", [.. pickles.Select(x => ZipBytes.Torch(x, Storage(x)))]);
        Refuses(() => MetaCheckpoint.Open(folder.Path), expected);

        // Scalars have a storage of one value here, all others of four.
        static byte[] Storage(byte[] pickle) => TorchPickle.Read(pickle, "x")[0].StorageCount == 1 ? MetaFiles.Bytes(1) : MetaFiles.Bytes(1, 2, 3, 4);
    }

    private static void RefusesFile(byte[] bytes, params string[] parts)
    {
        using var folder = new ScratchFolder();
        File.WriteAllBytes(folder.File("x.pth"), bytes);
        Refuses(() => MetaCheckpoint.Open(folder.File("x.pth")), [.. parts, "x.pth"]);
    }

    private static void Refuses(Action action, params string[] parts)
    {
        string message = Assert.ThrowsAny<PunaException>(action).Message;
        Assert.DoesNotContain(message, char.IsControl);
        Assert.All(parts, x => Assert.Contains(x, message, StringComparison.Ordinal));
    }
}
