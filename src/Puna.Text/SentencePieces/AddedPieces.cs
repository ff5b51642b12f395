using System.Globalization;
using System.Text;
using System.Text.Json;
using Puna.Text.HuggingFace;

namespace Puna.Text.SentencePieces;

/// <summary>Tokens that fine-tuning added to a SentencePiece model, where no <c>tokenizer.json</c> has them: <c>added_tokens.json</c> and <c>tokenizer_config.json</c>.</summary>
internal static class AddedPieces
{
    /// <summary>The tokenizer with the tokens behind its own pieces; itself where there are none. Their ids must follow without a hole.</summary>
    /// <exception cref="Tensors.FileFormatException">An id is missing among them.</exception>
    public static SentencePieceTokenizer Extend(SentencePieceTokenizer tokenizer, string folder)
    {
        var added = new SortedDictionary<int, (string Content, bool Special)>();
        using JsonFile plain = new(folder, "added_tokens.json"), settings = new(folder, "tokenizer_config.json");
        if (!plain.Root.IsNull)
        {
            foreach (JsonProperty token in plain.Root.Json.EnumerateObject())
            {
                if (token.Value.ValueKind == JsonValueKind.Number && token.Value.TryGetInt32(out int id))
                {
                    added[id] = (token.Name, false);
                }
            }
        }

        if (!settings.Root.IsNull && settings.Root["added_tokens_decoder"] is { Json.ValueKind: JsonValueKind.Object } decoder)
        {
            foreach (JsonProperty token in decoder.Json.EnumerateObject())
            {
                if (int.TryParse(token.Name, NumberStyles.None, CultureInfo.InvariantCulture, out int id) && decoder[token.Name] is { Json.ValueKind: JsonValueKind.Object } entry && entry.Text("content") is string content)
                {
                    added[id] = (content, entry.Flag("special", false));
                }
            }
        }

        SentencePieceModel model = tokenizer.Model;
        int next = model.Pieces.Count;
        if (added.Keys.All(id => id < next))
        {
            return tokenizer;
        }

        SentencePieceModel extended = model.Copy();
        foreach ((int id, (string content, bool special)) in added.Where(a => a.Key >= next))
        {
            if (id != extended.Pieces.Count || content.Length == 0)
            {
                throw plain.Root.Error($"added tokens from id {extended.Pieces.Count} on without a hole", $"{content} with id {id}");
            }

            extended.Add(Encoding.UTF8.GetBytes(content), 0, special ? PieceType.Control : PieceType.UserDefined);
        }

        return new SentencePieceTokenizer(extended, folder, tokenizer.Roles, allowDuplicates: true);
    }
}
