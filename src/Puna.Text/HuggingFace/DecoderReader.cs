namespace Puna.Text.HuggingFace;

/// <summary>Reads the decoder and the post-processor of a <c>tokenizer.json</c>. What is not understood is refused by name.</summary>
internal static class DecoderReader
{
    /// <summary>Whether the decoder is the one of byte-level vocabularies; for these no other is understood.</summary>
    public static bool IsByteLevel(JsonSection json) =>
        !json.IsNull && (json.Type == "ByteLevel" || (json.Type == "Sequence" && json["decoders"].Items().ToList() is [JsonSection only] && IsByteLevel(only)));

    /// <summary>The decoder of a vocabulary of texts.</summary>
    public static PieceDecoding Pieces(JsonSection json)
    {
        if (json.IsNull)
        {
            return new PieceDecoding { Spaced = true };
        }

        var state = new State();
        Add(json, state);
        return new PieceDecoding
        {
            Replace = state.Replace,
            Metaspace = state.Metaspace,
            ByteFallback = state.ByteFallback,
            StripStart = state.StripStart,
            StripCharacter = state.StripCharacter,
        };
    }

    /// <summary>What a post-processor puts around one text: ids of tokens before and behind it.</summary>
    public static (int? Before, int? Behind) PostProcessor(JsonSection json)
    {
        if (json.IsNull)
        {
            return default;
        }

        switch (json.Type)
        {
            case "ByteLevel":
                return default; // moves offsets only
            case "Sequence":
                (int? before, int? behind) = (null, null);
                foreach (JsonSection item in json["processors"].Items())
                {
                    (int? b, int? e) = PostProcessor(item);
                    (before, behind) = (b ?? before, e ?? behind);
                }

                return (before, behind);
            case "TemplateProcessing":
                return Template(json);
            default:
                throw json.Error("a post-processor of type Sequence, ByteLevel or TemplateProcessing", json.Type);
        }
    }

    private static (int? Before, int? Behind) Template(JsonSection json)
    {
        (int? before, int? behind) = (null, null);
        bool seen = false;
        foreach (JsonSection item in json["single"].Items())
        {
            JsonSection special = item["SpecialToken"];
            if (special.IsNull)
            {
                seen = !seen && !item["Sequence"].IsNull ? true : throw item.Error("one Sequence among SpecialTokens", "something else");
                continue;
            }

            string name = special.Text("id") ?? throw special.Error("an id", "none");
            JsonSection token = json["special_tokens"][name];
            List<JsonSection> ids = token.IsNull ? [] : [.. token["ids"].Items()];
            if (ids is not [JsonSection only] || only.Json.ValueKind != System.Text.Json.JsonValueKind.Number || !only.Json.TryGetInt32(out int id) || id < 0 || (seen ? behind : before) is not null)
            {
                throw item.Error("at most one token before and one behind the text, with one id each", special.ToString());
            }

            before = seen ? before : id;
            behind = seen ? id : behind;
        }

        return (before, behind);
    }

    private static void Add(JsonSection json, State state)
    {
        switch (json.Type)
        {
            case "Sequence":
                foreach (JsonSection item in json["decoders"].Items())
                {
                    Add(item, state);
                }

                break;
            case "Replace" when !state.Fused && !state.ByteFallback:
                string from = json["pattern"].Text("String") is { Length: > 0 } text ? text : throw json["pattern"].Error("a String", json["pattern"].ToString());
                state.Replace.Add((from, json.Text("content") ?? throw json.Error("content", "none")));
                break;
            case "Metaspace" when !state.Fused && !state.ByteFallback && state.Metaspace is null:
                state.Metaspace = PipelineReader.Metaspace(json);
                break;
            case "ByteFallback" when !state.Fused:
                state.ByteFallback = true;
                break;
            case "Fuse":
                state.Fused = true;
                break;
            case "Strip" when state.Fused && state.StripStart == 0:
                state.StripCharacter = json.Text("content") is { Length: > 0 } content ? content : throw json.Error("content", "none");
                state.StripStart = json.Integer("start", 1_000_000) ?? 0;
                if (json.Integer("stop") is > 0)
                {
                    throw json["stop"].Error("0", json["stop"].ToString());
                }

                break;
            default:
                throw json.Error("a decoder of Replace, Metaspace, ByteFallback, Fuse and Strip in this order", json.Type);
        }
    }

    private sealed class State
    {
        public List<(string From, string To)> Replace { get; } = [];

        public Metaspace? Metaspace { get; set; }

        public bool ByteFallback { get; set; }

        public bool Fused { get; set; }

        public int StripStart { get; set; }

        public string StripCharacter { get; set; } = " ";
    }
}
