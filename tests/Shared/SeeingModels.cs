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

    private const string Template = "{{ '<|begin|>' }}{% for m in messages %}{{ 'U:' }}{% if m['content'] is string %}{{ m['content'] }}{% else %}{% for p in m['content'] %}"
        + "{% if p['type'] == 'image' %}{{ '<|image|>' }}{% else %}{{ p['text'] }}{% endif %}{% endfor %}{% endif %}{{ '<|end|>' }}{% endfor %}";

    /// <summary>Writes a Llama 3.2 Vision: tiles of 28 pixels.</summary>
    /// <param name="folder">Is made.</param>
    public static string WriteCrossed(string folder) => Write("llama32-vision", folder, (ImageToken, "<|image|>"));

    /// <summary>Writes a Llama 4 that sees: tiles of 56 pixels.</summary>
    /// <param name="folder">Is made.</param>
    public static string WriteFused(string folder) => Write(
        "llama4-vision", folder, (310, "<|image_start|>"), (311, "<|image_end|>"), (PatchToken, "<|patch|>"), (313, "<|image|>"), (314, "<|tile_x_separator|>"), (315, "<|tile_y_separator|>"));

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
