using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;
using Puna.Tensors.Quantization;
using Puna.Tests.Shared;

namespace Puna.Tensors.Tests.Quantization;

/// <summary>Whole files that llama.cpp quantised: every tensor decodes to the recorded bits, and encodes to llama.cpp's bytes.</summary>
public class GgufGoldenTests
{
    public static TheoryData<string> Decoded => [.. Encoded.Select(row => row.Data), "f32", "iq3_s", "iq4_nl", "iq4_xs", "tq2_0"];

    public static TheoryData<string> Encoded => ["f16", "bf16", "q4_0", "q4_1", "q5_0", "q5_1", "q8_0", "q2_k", "q3_k_m", "q4_k_m", "q5_k_m", "q6_k"];

    [Theory]
    [MemberData(nameof(Decoded))]
    public void EveryTensorDecodesToTheRecordedBits(string name)
    {
        var file = new GgufSource(TestFiles.Golden("gguf-quants", name + ".gguf"));
        using JsonDocument summary = JsonDocument.Parse(File.ReadAllBytes(TestFiles.Golden("gguf-quants", "summary.json")));
        int tensors = 0;
        foreach (JsonProperty tensor in summary.RootElement.GetProperty(name).GetProperty("tensors").EnumerateObject())
        {
            string hash = Convert.ToHexStringLower(SHA256.HashData(MemoryMarshal.AsBytes<float>(file.Values(tensor.Name))));
            Assert.True(tensor.Value.GetProperty("sha256_f32").GetString() == hash, $"{name}: {tensor.Name} {file.Type(tensor.Name)}");
            tensors++;
        }

        Assert.Equal(file.Names.Count(), tensors);
    }

    [Theory]
    [MemberData(nameof(Encoded))]
    public void EveryTensorEncodesToTheBytesOfLlamaCpp(string name) =>
        CompareBytes(new GgufSource(TestFiles.Golden("gguf-quants", "f32.gguf")).Values, new GgufSource(TestFiles.Golden("gguf-quants", name + ".gguf")));

    [Theory]
    [InlineData("q4_0")]
    [InlineData("q8_0")]
    [InlineData("q4_k_m")]
    public void TrainedWeightsEncodeToTheBytesOfLlamaCpp(string name)
    {
        var source = new SafetensorsSource(TestFiles.Golden("trained-tiny", "model.safetensors"));
        CompareBytes(tensor => HuggingFace(source, tensor), new GgufSource(TestFiles.Golden("trained-tiny", name + ".gguf")));
    }

    private static void CompareBytes(Func<string, float[]> source, GgufSource expected)
    {
        var wrong = new List<string>();
        foreach (string name in expected.Names)
        {
            DType type = expected.Type(name);
            var actual = new byte[expected.Bytes(name).Length];
            Quantizer.Quantize(type, source(name), actual);
            int different = 0;
            ReadOnlySpan<byte> bytes = expected.Bytes(name);
            for (int i = 0; i < actual.Length; i++)
            {
                different += actual[i] == bytes[i] ? 0 : 1;
            }

            if (different > 0)
            {
                wrong.Add($"{name} {type}: {different} of {actual.Length} bytes");
            }
        }

        Assert.True(wrong.Count == 0, string.Join("; ", wrong));
    }

    /// <summary>A bfloat16 tensor by its GGUF name, with query and key rows moved to the interleaved order that GGUF has.</summary>
    private static float[] HuggingFace(SafetensorsSource source, string name)
    {
        const int HeadDim = 32;
        string[] parts = name.Split('.');
        string original = parts[0] switch
        {
            "token_embd" => "model.embed_tokens.weight",
            "output_norm" => "model.norm.weight",
            _ => $"model.layers.{parts[1]}." + parts[2] switch
            {
                "attn_q" => "self_attn.q_proj",
                "attn_k" => "self_attn.k_proj",
                "attn_v" => "self_attn.v_proj",
                "attn_output" => "self_attn.o_proj",
                "ffn_gate" => "mlp.gate_proj",
                "ffn_up" => "mlp.up_proj",
                "ffn_down" => "mlp.down_proj",
                "attn_norm" => "input_layernorm",
                _ => "post_attention_layernorm",
            } + ".weight",
        };
        var values = new float[source.Bytes(original).Length / 2];
        Dequantizer.Dequantize(DType.BF16, source.Bytes(original), values);
        if (!name.Contains("attn_q", StringComparison.Ordinal) && !name.Contains("attn_k", StringComparison.Ordinal))
        {
            return values;
        }

        int columns = source.Shape(original)[1];
        var moved = new float[values.Length];
        for (int row = 0; row < values.Length / columns; row++)
        {
            // Row i of the first half of a head pairs with row i of the second half: they become rows 2i and 2i + 1.
            int head = row / HeadDim * HeadDim;
            int inside = row % HeadDim;
            int to = head + (2 * (inside % (HeadDim / 2))) + (inside / (HeadDim / 2));
            values.AsSpan(row * columns, columns).CopyTo(moved.AsSpan(to * columns));
        }

        return moved;
    }
}
