using System.Security.Cryptography;
using System.Text.Json;
using Puna.Formats.Gguf;
using Puna.Formats.Safetensors;
using Puna.Tensors;
using Puna.Tests.Shared;

namespace Puna.Formats.Tests.Gguf;

// The fixtures v2, v3 and split were written byte by byte by a script from the format's description, llamacpp-tq2_0 by llama.cpp.
public class GgufFileTests
{
    [Theory]
    [InlineData("v2.gguf", 2, true)]
    [InlineData("v3.gguf", 3, true)]
    [InlineData("v3.gguf", 3, false)]
    public void ReadsEveryKindOfValueAndTensor(string name, int version, bool map)
    {
        using GgufFile file = GgufFile.Open(TestFiles.Fixture("gguf", name), map);
        Assert.Equal(version, file.Version);
        GgufMetadata m = file.Metadata;
        Assert.Equal("llama", m.GetString("general.architecture"));
        Assert.Equal(255, m.GetInteger("u8"));
        Assert.Equal(-2, m.GetInteger("i8"));
        Assert.Equal(65535, m.GetInteger("u16"));
        Assert.Equal(-2, m.GetInteger("i16"));
        Assert.Equal(4294967295, m.GetInteger("u32"));
        Assert.Equal(-3, m.GetInteger("i32"));
        Assert.Equal(1.5, m.GetNumber("f32"));
        Assert.True(m.GetBool("bool"));
        Assert.Equal("größe 🦙", m.GetString("string"));
        Assert.True(m.TryGet("u64", out GgufValue? u64));
        Assert.Equal(ulong.MaxValue, u64.Value);
        Assert.Equal(long.MinValue, m.GetInteger("i64"));
        Assert.Equal(-0.1, m.GetNumber("f64"));
        Assert.Equal(["a", "", "▁b"], m.GetStrings("strings")!);
        Assert.Equal([1, -2, 3], m.GetIntegers("ints")!);
        Assert.Equal([0.5f, -1], m.GetFloats("floats")!);
        Assert.Equal([true, false], m.GetBools("bools")!);
        Assert.True(m.TryGet("nested", out GgufValue? nested));
        GgufValue[] inner = Assert.IsType<GgufValue[]>(nested.Value);
        Assert.Equal([1, 2], Assert.IsType<byte[]>(inner[0].Value));
        Assert.Equal(["deep"], Assert.IsType<string[]>(Assert.IsType<GgufValue[]>(inner[1].Value)[0].Value));

        Assert.Equal(["matrix", "q8", "scalar", "half"], file.Tensors.Select(tensor => tensor.Name));
        Tensor matrix = file.GetTensor("matrix");
        Assert.Equal(new Shape(2, 3), matrix.Shape); // written 3, 2
        Assert.Equal([1.5f, 2, -2.5f], matrix.Row<float>(1).ToArray());
        Assert.Equal(DType.Q8_0, file.GetTensor("q8").DType);
        Assert.Equal(34, file.GetTensor("q8").ByteLength);
        Assert.Equal([.. Enumerable.Range(-16, 32).Select(x => (sbyte)x)], TensorBytes.Of<sbyte>(file.GetTensor("q8"))[2..]);
        Assert.Equal(new Shape(), file.GetTensor("scalar").Shape);
        Assert.Equal([9f], TensorBytes.Of<float>(file.GetTensor("scalar")));
        Assert.Equal([(Half)1, (Half)2, (Half)3, (Half)4], TensorBytes.Of<Half>(file.GetTensor("half")));
    }

    [Fact]
    public void ReadsAFileOfLlamaCpp()
    {
        using GgufFile file = GgufFile.Open(TestFiles.Fixture("gguf", "llamacpp-tq2_0.gguf"));
        Assert.Equal("llama", file.Metadata.GetString("general.architecture"));
        Assert.Equal(256, file.Metadata.GetInteger("llama.embedding_length"));
        Assert.Equal(file.Metadata.GetStrings("tokenizer.ggml.tokens")!.Length, file.Metadata.GetFloats("tokenizer.ggml.scores")!.Length);
        Assert.Equal(new Shape(64, 256), file.GetTensor("blk.0.attn_k.weight").Shape);
        Assert.Equal(DType.TQ2_0, file.GetTensor("blk.0.attn_k.weight").DType);
        Assert.Equal(DType.Q6_K, file.GetTensor("token_embd.weight").DType);

        // The first values that the goldens' summary.json has of this tensor.
        Assert.Equal([1.0499299764633179f, 1.0914106369018555f, 1.092941164970398f], file.GetTensor("output_norm.weight").Row<float>(0)[..3].ToArray());
        string hash = Convert.ToHexStringLower(SHA256.HashData(TensorBytes.Of(file.GetTensor("output_norm.weight"))));
        Assert.Equal("d8f1f980912d260400a0d1af2167b6a151401a211f4532c07eaab746f8428946", hash);
    }

    [Fact]
    public void ReadsAllGoldensOfLlamaCpp()
    {
        using JsonDocument summary = JsonDocument.Parse(File.ReadAllText(TestFiles.Golden("gguf-quants", "summary.json")));
        foreach (JsonProperty type in summary.RootElement.EnumerateObject())
        {
            using GgufFile file = GgufFile.Open(TestFiles.Golden("gguf-quants", type.Name + ".gguf"));
            JsonElement tensors = type.Value.GetProperty("tensors");
            Assert.Equal(tensors.EnumerateObject().Count(), file.Tensors.Count);
            foreach (JsonProperty expected in tensors.EnumerateObject())
            {
                Tensor tensor = file.GetTensor(expected.Name);
                Assert.Equal(expected.Value.GetProperty("type").GetString(), tensor.DType.ToString(), ignoreCase: true);
                Assert.Equal(expected.Value.GetProperty("shape").EnumerateArray().Select(size => size.GetInt64()), tensor.Shape.ToArray());
                if (tensor.DType == DType.F32)
                {
                    Assert.Equal(expected.Value.GetProperty("sha256_f32").GetString(), Convert.ToHexStringLower(SHA256.HashData(TensorBytes.Of(tensor))));
                }
            }
        }
    }

    [Fact]
    public void TheSameModelHasTheSameBitsAsSafetensors()
    {
        using GgufFile gguf = GgufFile.Open(TestFiles.Golden("gguf-llama31", "f32.gguf"));
        using SafetensorsFile safetensors = SafetensorsFile.Open(TestFiles.Golden("llama31-scaled", "model.safetensors"));
        (string Gguf, string Safetensors)[] names =
        [
            ("token_embd.weight", "model.embed_tokens.weight"),
            ("output_norm.weight", "model.norm.weight"),
            ("output.weight", "lm_head.weight"),
            ("blk.0.attn_norm.weight", "model.layers.0.input_layernorm.weight"),
            ("blk.0.attn_v.weight", "model.layers.0.self_attn.v_proj.weight"),
            ("blk.0.attn_output.weight", "model.layers.0.self_attn.o_proj.weight"),
            ("blk.1.ffn_gate.weight", "model.layers.1.mlp.gate_proj.weight"),
            ("blk.1.ffn_up.weight", "model.layers.1.mlp.up_proj.weight"),
            ("blk.1.ffn_down.weight", "model.layers.1.mlp.down_proj.weight"),
            ("blk.1.ffn_norm.weight", "model.layers.1.post_attention_layernorm.weight"),
        ];
        foreach ((string a, string b) in names)
        {
            Assert.Equal(safetensors.GetTensor(b).Shape, gguf.GetTensor(a).Shape);
            Assert.Equal(TensorBytes.Of(safetensors.GetTensor(b)), TensorBytes.Of(gguf.GetTensor(a)));
        }

        // q and k are in another order of rows, but are the same rows.
        HashSet<string> Rows(Tensor tensor) => [.. Enumerable.Range(0, (int)tensor.Rows).Select(row => Convert.ToHexString(tensor.Row<byte>(row)))];
        Assert.Equal(Rows(safetensors.GetTensor("model.layers.0.self_attn.q_proj.weight")), Rows(gguf.GetTensor("blk.0.attn_q.weight")));
    }

    [Theory]
    [InlineData(8)]
    [InlineData(1024)]
    [InlineData(1 << 20)]
    public void AlignmentIsObeyed(int alignment)
    {
        byte[] bytes = new GgufBytes { Alignment = alignment, DataBytes = 8 }
            .Value("general.alignment", GgufValueType.UInt32, BitConverter.GetBytes(alignment))
            .Tensor("a", [2], 0, 0)
            .Build();
        bytes[^8] = 42;
        using GgufFile file = GgufFile.Parse(ScratchFolder.Storage(bytes), "memory");
        Assert.Equal(bytes.Length - 8, file.Tensors[0].Offset);
        Assert.Equal(42, TensorBytes.Of(file.GetTensor("a"))[0]);
    }

    [Fact]
    public void MisalignedValuesAreCopied()
    {
        byte[] bytes = new GgufBytes { Alignment = 1, DataBytes = 13 }
            .Value("general.alignment", GgufValueType.UInt8, 1)
            .Tensor("a", [1], 24, 0)
            .Tensor("b", [1], 0, 1)
            .Tensor("c", [2], 0, 5)
            .Build();
        BitConverter.GetBytes(-1.5f).CopyTo(bytes, bytes.Length - 4);
        using GgufFile file = GgufFile.Parse(ScratchFolder.Storage(bytes), "memory");
        Assert.Equal([0, -1.5f], TensorBytes.Of<float>(file.GetTensor("c")));
        Assert.All(new[] { "b", "c" }, name => Assert.Equal(0, file.GetTensor(name).Address % 4));
    }

    [Fact]
    public void GapsAnyOrderAndEmptyTensorsAreFine()
    {
        byte[] bytes = new GgufBytes { DataBytes = 100 }
            .Tensor("late", [1], 0, 96)
            .Tensor("empty", [4, 0], 0, 0)
            .Tensor("early", [1], 0, 0)
            .Tensor("far", [0], 0, 1UL << 40)
            .Build();
        using GgufFile file = GgufFile.Parse(ScratchFolder.Storage(bytes), "memory");
        Assert.Equal(["late", "empty", "early", "far"], file.Tensors.Select(tensor => tensor.Name));
        Assert.Equal(new Shape(0, 4), file.GetTensor("empty").Shape);
        Assert.All(file.Tensors, tensor => Assert.Equal(tensor.ByteLength, TensorBytes.Of(file.GetTensor(tensor.Name)).Length));
    }

    [Fact]
    public void MergedFilesHaveASplitCountOfZero()
    {
        byte[] bytes = new GgufBytes().Value("split.count", GgufValueType.UInt16, 0, 0).Build();
        using var folder = new ScratchFolder();
        GgufFile.Open(folder.Write("merged.gguf", bytes)).Dispose();
    }
}
