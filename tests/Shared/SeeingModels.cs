using System.Text;
using System.Text.Json.Nodes;

namespace Puna.Tests.Shared;

/// <summary>
/// The golden models that see, with a tokenizer of bytes (0 to 255, a beginning, an end, and tokens for pictures) and a template that lays a conversation out as <c>U:</c>, content, end.
/// The test is skipped where the goldens are not at hand.
/// </summary>
public static class SeeingModels
{
    /// <summary>The token of a picture in <see cref="WriteCrossed"/>.</summary>
    public const int ImageToken = 320;

    /// <summary>The token of a patch in <see cref="WriteFused"/>; a tile has four of them.</summary>
    public const int PatchToken = 312;

    private const int EndHeader = 260;
    private const int EndOfTurn = 261;

    private const string Template = "{{ '<|begin|>' }}{% for m in messages %}{{ 'U:' }}{% if m['content'] is string %}{{ m['content'] }}{% else %}{% for p in m['content'] %}"
        + "{% if p['type'] == 'image' %}{{ '<|image|>' }}{% else %}{{ p['text'] }}{% endif %}{% endfor %}{% endif %}{{ '<|end|>' }}{% endfor %}";

    /// <summary>Writes a Llama 3.2 Vision: tiles of 28 pixels.</summary>
    /// <param name="folder">Is made.</param>
    public static string WriteCrossed(string folder) => Write("llama32-vision", folder, (ImageToken, "<|image|>"));

    /// <summary>Writes a Llama 4 that sees: tiles of 56 pixels.</summary>
    /// <param name="folder">Is made.</param>
    public static string WriteFused(string folder) => Write(
        "llama4-vision", folder, (310, "<|image_start|>"), (311, "<|image_end|>"), (PatchToken, "<|patch|>"), (313, "<|image|>"), (314, "<|tile_x_separator|>"), (315, "<|tile_y_separator|>"));

    /// <summary>
    /// Writes the model of <see cref="WriteCrossed"/> with the control tokens and the context that the question of a Llama Guard 3 Vision needs.
    /// </summary>
    /// <param name="folder">Is made.</param>
    /// <param name="answer">
    /// What it answers to everything, of different ASCII letters; null leaves the weights as they are. Its blocks then add nothing, and each token is followed by the one whose output row is its embedding: a chain
    /// from the last token of the question through the answer to the end.
    /// </param>
    public static string WriteGuard(string folder, string? answer = null)
    {
        Write("llama32-vision", folder, (EndHeader - 2, "<|begin_of_text|>"), (EndHeader - 1, "<|start_header_id|>"), (EndHeader, "<|end_header_id|>"), (EndOfTurn, "<|eot_id|>"), (ImageToken, "<|image|>"));
        string config = Path.Combine(folder, "config.json"), file = Path.Combine(folder, "model.safetensors");
        JsonNode settings = JsonNode.Parse(File.ReadAllText(config))!;
        settings["text_config"]!["max_position_embeddings"] = 4096;
        settings["text_config"]!["eos_token_id"] = EndOfTurn;
        File.WriteAllText(config, settings.ToJsonString());
        if (answer is not null)
        {
            byte[] bytes = File.ReadAllBytes(file);
            Chain(bytes, [EndHeader, .. answer.Select(static c => (int)c), EndOfTurn]);
            File.WriteAllBytes(file, bytes);
        }

        return folder;
    }

    /// <summary>Writes the model of <see cref="WriteFused"/> with the control tokens and the context that the question of a Llama Guard 4 needs.</summary>
    /// <param name="folder">Is made.</param>
    public static string WriteFusedGuard(string folder)
    {
        Write(
            "llama4-vision", folder, (EndHeader - 2, "<|begin_of_text|>"), (EndHeader - 1, "<|header_start|>"), (EndHeader, "<|header_end|>"), (EndOfTurn, "<|eot|>"), (310, "<|image_start|>"), (311, "<|image_end|>"),
            (PatchToken, "<|patch|>"), (313, "<|image|>"), (314, "<|tile_x_separator|>"), (315, "<|tile_y_separator|>"));
        string config = Path.Combine(folder, "config.json");
        JsonNode settings = JsonNode.Parse(File.ReadAllText(config))!;
        settings["text_config"]!["max_position_embeddings"] = 4096;
        File.WriteAllText(config, settings.ToJsonString());
        return folder;
    }

    /// <summary>Changes the values in a safetensors file of float32.</summary>
    private static void Chain(byte[] file, int[] tokens)
    {
        int data = 8 + (int)BitConverter.ToInt64(file);
        JsonObject header = JsonNode.Parse(Encoding.UTF8.GetString(file, 8, data - 8))!.AsObject();
        foreach (string name in header.Select(static pair => pair.Key).Where(static n => n.EndsWith("o_proj.weight", StringComparison.Ordinal) || n.EndsWith("mlp.down_proj.weight", StringComparison.Ordinal)))
        {
            Values(name).Clear();
        }

        Values(header.Single(static pair => pair.Key.EndsWith("model.norm.weight", StringComparison.Ordinal)).Key).Fill(1);
        ReadOnlySpan<float> embedding = Values(header.Single(static pair => pair.Key.EndsWith("embed_tokens.weight", StringComparison.Ordinal)).Key);
        string head = header.Single(static pair => pair.Key.EndsWith("lm_head.weight", StringComparison.Ordinal)).Key;
        Span<float> output = Values(head);
        int width = (int)header[head]!["shape"]![1]!;
        output.Clear();
        for (int i = 0; i + 1 < tokens.Length; i++)
        {
            // Scaled up, so that the next token stands out whatever the size of the embedding.
            ReadOnlySpan<float> from = embedding.Slice(tokens[i] * width, width);
            float length = Length(from);
            for (int j = 0; j < width; j++)
            {
                output[(tokens[i + 1] * width) + j] = 4 * from[j] / length;
            }
        }

        static float Length(ReadOnlySpan<float> values)
        {
            double sum = 0;
            foreach (float value in values)
            {
                sum += (double)value * value;
            }

            return (float)Math.Sqrt(sum);
        }

        Span<float> Values(string name)
        {
            JsonNode offsets = header[name]!["data_offsets"]!;
            return System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(file.AsSpan(data + (int)offsets[0]!, (int)offsets[1]! - (int)offsets[0]!));
        }
    }

    private static string Write(string golden, string folder, params (int Id, string Content)[] more)
    {
        string source = TestFiles.GoldenModel(golden);
        Directory.CreateDirectory(folder);
        foreach (string name in (string[])["config.json", "model.safetensors"])
        {
            // Made anew, since the goldens may be read-only.
            File.WriteAllBytes(Path.Combine(folder, name), File.ReadAllBytes(Path.Combine(source, name)));
        }

        var vocabulary = new JsonObject();
        for (int value = 0, next = 256; value < 256; value++)
        {
            // The letters of byte-level BPE: bytes that print stand for themselves, the others for what follows U+00FF.
            bool prints = value is (>= 33 and <= 126) or (>= 161 and <= 172) or >= 174;
            vocabulary[((char)(prints ? value : next++)).ToString()] = value;
        }

        var added = new JsonArray(Special(256, "<|begin|>"), Special(257, "<|end|>"));
        foreach ((int id, string content) in more)
        {
            added.Add((JsonNode)Special(id, content));
        }

        var tokenizer = new JsonObject
        {
            ["version"] = "1.0",
            ["added_tokens"] = added,
            ["pre_tokenizer"] = new JsonObject { ["type"] = "ByteLevel", ["add_prefix_space"] = false, ["trim_offsets"] = true, ["use_regex"] = true },
            ["decoder"] = new JsonObject { ["type"] = "ByteLevel" },
            ["model"] = new JsonObject { ["type"] = "BPE", ["vocab"] = vocabulary, ["merges"] = new JsonArray() },
        };
        File.WriteAllText(Path.Combine(folder, "tokenizer.json"), tokenizer.ToJsonString(), new UTF8Encoding(false));
        File.WriteAllText(Path.Combine(folder, "tokenizer_config.json"), new JsonObject { ["chat_template"] = Template }.ToJsonString());
        return folder;
    }

    private static JsonObject Special(int id, string content) => new()
    {
        ["id"] = id, ["content"] = content, ["special"] = true, ["single_word"] = false, ["lstrip"] = false, ["rstrip"] = false, ["normalized"] = false,
    };
}
