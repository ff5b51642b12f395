using System.Text;
using Puna.Text;

namespace Puna.Fuzz.Targets;

/// <summary>A <c>tokenizer.json</c>, of both kinds.</summary>
public sealed class TokenizerJsonTarget : IFuzzTarget
{
    private const string Added = """
        "added_tokens":[{"id":0,"content":"<unk>","special":true,"normalized":false},{"id":1,"content":"<s>","special":true,"normalized":false,"lstrip":false,"rstrip":false,"single_word":false},
        {"id":9,"content":"ab","special":false,"normalized":true,"single_word":true,"lstrip":true,"rstrip":true}]
        """;

    private const string Byte =
        """{"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":"(?i:'s|'t)|[^\\r\\n\\p{L}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}]+|\\s+(?!\\S)|\\s+"},"behavior":"Isolated","invert":false},"""
        + """{"type":"Digits","individual_digits":true},{"type":"ByteLevel","add_prefix_space":false,"use_regex":false}]}""";

    private const string Template =
        """{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<s>","type_id":0}},{"Sequence":{"id":"A","type_id":0}}],"special_tokens":{"<s>":{"id":"<s>","ids":[1],"tokens":["<s>"]}}}""";

    private const string PieceModel =
        """{"type":"BPE","dropout":null,"unk_token":"<unk>","fuse_unk":true,"byte_fallback":true,"vocab":{"<unk>":0,"<s>":1,"<0x0A>":2,"▁":3,"a":4,"b":5,"▁a":6,"aa":7,"ab":8},"merges":["▁ a",["a","a"],["a","b"]]}""";

    private const string ByteModel =
        """{"type":"BPE","unk_token":null,"ignore_merges":true,"merges":["a b","Ġ ab"],"vocab":{"a":2,"b":3,"ab":4,"Ġ":5,"Ġab":6,"<s>":1,"Ċ":7,"1":8}}""";

    private static readonly string[] _normalizers =
    [
        "null", """{"type":"Sequence","normalizers":[{"type":"Prepend","prepend":"▁"},{"type":"Replace","pattern":{"String":" "},"content":"▁"}]}""",
        """{"type":"Replace","pattern":{"Regex":"a+b|(?=x)"},"content":"x"}""", """{"type":"Lowercase"}""", """{"type":"Strip","strip_left":true,"strip_right":true}""", """{"type":"NFC"}""",
        """{"type":"Sequence","normalizers":[]}""", """{"type":"Replace","pattern":{"String":"a"},"content":""}""",
    ];

    private static readonly string[] _preTokenizers =
    [
        "null", Byte, """{"type":"Metaspace","replacement":"▁","prepend_scheme":"first","split":true}""", """{"type":"Metaspace","replacement":"_","add_prefix_space":true}""",
        """{"type":"ByteLevel","add_prefix_space":true,"use_regex":true}""", """{"type":"Digits","individual_digits":true}""", """{"type":"Whitespace"}""", """{"type":"WhitespaceSplit"}""",
        """{"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"String":"a"},"behavior":"MergedWithNext","invert":true},{"type":"ByteLevel","add_prefix_space":false}]}""",
        """{"type":"Split","pattern":{"Regex":"(?<=a)b|[^a&&b]+?|$"},"behavior":"Contiguous","invert":false}""",
    ];

    private static readonly string[] _decoders =
    [
        "null", """{"type":"ByteLevel"}""", """{"type":"Metaspace","replacement":"▁","prepend_scheme":"always","split":true}""",
        """{"type":"Sequence","decoders":[{"type":"Replace","pattern":{"String":"▁"},"content":" "},{"type":"ByteFallback"},{"type":"Fuse"},{"type":"Strip","content":" ","start":1,"stop":0}]}""",
        """{"type":"Sequence","decoders":[{"type":"ByteFallback"},{"type":"Fuse"},{"type":"Strip","content":"a","start":3,"stop":0}]}""",
    ];

    /// <inheritdoc/>
    public string Name => "tokenizer-json";

    /// <inheritdoc/>
    public IReadOnlyList<byte[]> Corpus { get; } =
    [
        Json("""{"type":"Sequence","normalizers":[{"type":"Prepend","prepend":"▁"},{"type":"Replace","pattern":{"String":" "},"content":"▁"}]}""", "null", Template,
            """{"type":"Sequence","decoders":[{"type":"Replace","pattern":{"String":"▁"},"content":" "},{"type":"ByteFallback"},{"type":"Fuse"},{"type":"Strip","content":" ","start":1,"stop":0}]}""", PieceModel),
        Json("""{"type":"Replace","pattern":{"Regex":"a{1,3}b"},"content":"x"}""", """{"type":"Metaspace","replacement":"▁","prepend_scheme":"first","split":true}""", "null",
            """{"type":"Metaspace","replacement":"▁","prepend_scheme":"always","split":true}""", PieceModel),
        Json("null", Byte, "null", """{"type":"ByteLevel"}""", ByteModel),
        Json("""{"type":"Lowercase"}""", """{"type":"ByteLevel","add_prefix_space":true,"use_regex":true}""", """{"type":"Sequence","processors":[{"type":"ByteLevel"}]}""",
            """{"type":"Sequence","decoders":[{"type":"ByteLevel"}]}""", ByteModel),
    ];

    /// <inheritdoc/>
    public void Run(byte[] input) => TokenizerUse.All(TokenizerLoader.Read(input, "fuzz.json"));

    /// <inheritdoc/>
    public byte[] MutateStructure(FuzzRandom random, byte[] input)
    {
        if (random.OneIn(3))
        {
            return JsonMutator.Mutate(random, input);
        }

        // Sections that fit together or not, and ids and tokens of the model changed.
        string model = random.Pick(PieceModel, ByteModel);
        for (int changes = random.Changes(4); changes > 0; changes--)
        {
            string from = random.Pick(":2", ":4", "\"a\"", "\"ab\"", "true", "false", "\"<unk>\"", "\"▁\"", "Ġ", "[", "null");
            string to = random.Pick(":3", ":70000", ":2147483647", "\"aa\"", "\"b\"", "false", "true", "\"<s>\"", "\"\"", "\"a b\"", "\"<0x0A>\"", "\"<0xFF>\"", "\\u00e9", "[\"a a\",");
            int at = model.IndexOf(from, random.Below(model.Length), StringComparison.Ordinal);
            model = at < 0 ? model : string.Concat(model.AsSpan(0, at), to, model.AsSpan(at + from.Length));
        }

        return Json(random.Pick<string>(_normalizers), random.Pick<string>(_preTokenizers), random.Pick("null", Template), random.Pick<string>(_decoders), model);
    }

    private static byte[] Json(string normalizer, string pre, string post, string decoder, string model) => Encoding.UTF8.GetBytes(
        $$"""{"version":"1.0",{{Added}},"normalizer":{{normalizer}},"pre_tokenizer":{{pre}},"post_processor":{{post}},"decoder":{{decoder}},"model":{{model}}}""");
}
