using System.Buffers.Binary;
using System.Text.Json;

namespace Puna.Formats.Tests.Meta;

/// <summary>The bytes of a Hugging Face checkpoint, read independently of the code under test, and what they are in Meta's layout.</summary>
internal sealed class SafetensorsOracle
{
    private readonly Dictionary<string, (long[] Shape, byte[] Bytes)> _tensors = new(StringComparer.Ordinal);

    public SafetensorsOracle(string path)
    {
        byte[] file = File.ReadAllBytes(path);
        int header = (int)BinaryPrimitives.ReadInt64LittleEndian(file);
        using JsonDocument json = JsonDocument.Parse(file.AsMemory(8, header));
        foreach (JsonProperty tensor in json.RootElement.EnumerateObject().Where(x => x.Name != "__metadata__"))
        {
            Assert.Equal("F32", tensor.Value.GetProperty("dtype").GetString());
            int[] range = [.. tensor.Value.GetProperty("data_offsets").EnumerateArray().Select(x => x.GetInt32())];
            _tensors.Add(tensor.Name, ([.. tensor.Value.GetProperty("shape").EnumerateArray().Select(x => x.GetInt64())], file[(8 + header + range[0])..(8 + header + range[1])]));
        }
    }

    public int Count => _tensors.Count;

    /// <summary>Shape and float32 bytes of a tensor by Meta's name; rotary rows go from the half-split to the interleaved order (spec llama1-3.md 2.3 and 3.2).</summary>
    public (long[] Shape, byte[] Bytes) Meta(string name, int heads, int kvHeads)
    {
        string hugging = name switch
        {
            "tok_embeddings.weight" => "model.embed_tokens.weight",
            "norm.weight" => "model.norm.weight",
            "output.weight" => "lm_head.weight",
            _ => "model." + name
                .Replace("attention_norm", "input_layernorm", StringComparison.Ordinal)
                .Replace("ffn_norm", "post_attention_layernorm", StringComparison.Ordinal)
                .Replace("attention.w", "self_attn.", StringComparison.Ordinal)
                .Replace("self_attn.q", "self_attn.q_proj", StringComparison.Ordinal)
                .Replace("self_attn.k", "self_attn.k_proj", StringComparison.Ordinal)
                .Replace("self_attn.v", "self_attn.v_proj", StringComparison.Ordinal)
                .Replace("self_attn.o", "self_attn.o_proj", StringComparison.Ordinal)
                .Replace("feed_forward.w1", "mlp.gate_proj", StringComparison.Ordinal)
                .Replace("feed_forward.w2", "mlp.down_proj", StringComparison.Ordinal)
                .Replace("feed_forward.w3", "mlp.up_proj", StringComparison.Ordinal),
        };
        (long[] shape, byte[] bytes) = _tensors[hugging];
        int n = name.EndsWith("wq.weight", StringComparison.Ordinal) ? heads : name.EndsWith("wk.weight", StringComparison.Ordinal) ? kvHeads : 0;
        if (n == 0)
        {
            return (shape, bytes);
        }

        var permuted = new byte[bytes.Length];
        int rows = (int)shape[0], width = bytes.Length / rows, headDim = rows / n;
        for (int row = 0; row < rows; row++)
        {
            int inHead = row % headDim; // Meta's row 2i is Hugging Face's i, 2i + 1 is i + headDim / 2
            int from = row - inHead + (inHead / 2) + (inHead % 2 * (headDim / 2));
            bytes.AsSpan(from * width, width).CopyTo(permuted.AsSpan(row * width));
        }

        return (shape, permuted);
    }

    /// <summary>float32 bytes rounded to bfloat16, to nearest, ties to even.</summary>
    public static byte[] ToBFloat16(byte[] floats)
    {
        var rounded = new byte[floats.Length / 2];
        for (int i = 0; i < floats.Length / 4; i++)
        {
            uint bits = BinaryPrimitives.ReadUInt32LittleEndian(floats.AsSpan(4 * i));
            bits += 0x7fff + ((bits >> 16) & 1);
            BinaryPrimitives.WriteUInt16LittleEndian(rounded.AsSpan(2 * i), (ushort)(bits >> 16));
        }

        return rounded;
    }
}
