using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Puna.Text.Splitting;

namespace Puna.Text.HuggingFace;

/// <summary>
/// What the names in <c>tokenizer.ggml.pre</c> stand for, as the pre-tokenizer of a <c>tokenizer.json</c>. Only names whose original split is known for certain are here.
/// </summary>
internal static class PreTokenizerNames
{
    /// <summary>Name of Llama 3's split (aliases <c>llama3</c>, <c>llama-v3</c>).</summary>
    public const string Llama3 = "llama-bpe";

    /// <summary>Name of Llama 4's split.</summary>
    public const string Llama4 = "llama4";

    /// <summary>Mistral Nemo: Llama 4's split without contractions, single numbers.</summary>
    private const string Tekken =
        @"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"
        + @"|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    private const string Digits = """{"type":"Digits","individual_digits":true}""";
    private const string Bytes = """{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":false}""";
    private const string BytesAsGpt2 = """{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":true}""";

    // The first name of equal splits is the one that is written.
    private static readonly (string Name, Func<string> Json)[] Known =
    [
        (Llama3, static () => Sequence(Split(KnownPatterns.Llama3), Bytes)),
        ("llama3", static () => Sequence(Split(KnownPatterns.Llama3), Bytes)),
        ("llama-v3", static () => Sequence(Split(KnownPatterns.Llama3), Bytes)),
        ("smaug-bpe", static () => Sequence(Split(KnownPatterns.Llama3), Bytes)),
        (Llama4, static () => Sequence(Split(KnownPatterns.Llama4), Bytes)),
        ("gpt-4o", static () => Sequence(Split(KnownPatterns.Llama4), Bytes)),
        ("tekken", static () => Sequence(Split(Tekken), Bytes)),
        ("gpt-2", static () => BytesAsGpt2),
        ("smollm", static () => Sequence(Digits, BytesAsGpt2)),
        ("starcoder", static () => Sequence(Digits, BytesAsGpt2)),
        ("refact", static () => Sequence(Digits, BytesAsGpt2)),
        ("deepseek-coder", static () => Sequence(
            Split(@"[\r\n]"), Split(@"\s?\p{L}+"), Split(@"\s?\p{P}+"), Split("[\u4E00-\u9FA5\u0800-\u4E00\uAC00-\uD7FF]+"), Digits, Bytes)),

        // What llama.cpp does where a file names no split.
        ("default", static () => Sequence(Split(@"[\p{P}\$\+<=>\^~\|]+"), Split(KnownPatterns.Gpt2), Split(@"\p{N}+"), Split("[0-9][0-9][0-9]"), Bytes)),
    ];

    /// <summary>The pre-tokenizer of a name as JSON, or null.</summary>
    public static string? Json(string name) => Array.Find(Known, k => k.Name == name).Json?.Invoke();

    /// <summary>All names.</summary>
    public static IEnumerable<string> All => Known.Select(static k => k.Name);

    /// <summary>Whether a part that is a token is taken whole: so do the originals of these, which are tiktoken vocabularies.</summary>
    public static bool IgnoresMerges(string name) => name is Llama3 or "llama3" or "llama-v3" or "smaug-bpe" or Llama4 or "gpt-4o" or "tekken";

    /// <summary>Whether the name is one of Meta's Llama 3 or Llama 4 tokenizers.</summary>
    public static bool IsMeta(string name) => name is Llama3 or "llama3" or "llama-v3" or "smaug-bpe" or Llama4;

    /// <summary>The name of a pre-tokenizer, or null where none does the same.</summary>
    /// <param name="preTokenizer">JSON text.</param>
    public static string? NameOf(string preTokenizer)
    {
        using JsonDocument asked = JsonDocument.Parse(preTokenizer);
        string canonical = Canonical(new JsonSection(asked.RootElement, "pre_tokenizer", "pre_tokenizer"));
        foreach ((string name, Func<string> json) in Known)
        {
            using JsonDocument document = JsonDocument.Parse(json());
            if (Canonical(new JsonSection(document.RootElement, name, name)) == canonical)
            {
                return name;
            }
        }

        return null;
    }

    private static string Sequence(params string[] steps) => $$"""{"type":"Sequence","pretokenizers":[{{string.Join(',', steps)}}]}""";

    private static string Split(string regex) =>
        $$"""{"type":"Split","pattern":{"Regex":"{{JavaScriptEncoder.UnsafeRelaxedJsonEscaping.Encode(regex)}}"},"behavior":"Isolated","invert":false}""";

    /// <summary>All that matters of a pre-tokenizer, however it is nested and whatever it says of offsets.</summary>
    private static string Canonical(JsonSection json)
    {
        var text = new StringBuilder();
        Append(json, text);
        return text.ToString();
    }

    private static void Append(JsonSection json, StringBuilder text)
    {
        if (json.IsNull)
        {
            return;
        }

        switch (json.Type)
        {
            case "Sequence":
                foreach (JsonSection item in json["pretokenizers"].Items())
                {
                    Append(item, text);
                }

                break;
            case "Split":
                text.Append($"Split {json["pattern"].Text("Regex") ?? "literal " + json["pattern"].Text("String")} {json.Text("behavior")} {json.Flag("invert", false)}\n");
                break;
            case "Digits":
                text.Append($"Digits {json.Flag("individual_digits", false)}\n");
                break;
            case "ByteLevel":
                text.Append($"ByteLevel {json.Flag("add_prefix_space", true)} {json.Flag("use_regex", true)}\n");
                break;
            default:
                text.Append(json).Append('\n');
                break;
        }
    }
}
