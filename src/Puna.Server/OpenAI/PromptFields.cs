using System.Text.Json;
using Puna.Server.Http;
using Puna.Text;

namespace Puna.Server.OpenAI;

/// <summary>Prompts as texts or as tokens, one or several: <c>string | string[] | int[] | int[][]</c>.</summary>
internal static class PromptFields
{
    /// <summary>Reads them.</summary>
    /// <param name="body">The request.</param>
    /// <param name="name">The member.</param>
    /// <param name="tokenizer">Makes tokens of texts, with the token that begins a text where the model has one.</param>
    /// <param name="most">Most prompts.</param>
    public static IReadOnlyList<int[]> Read(RequestObject body, string name, Tokenizer tokenizer, int most)
    {
        JsonElement value = body.Find(name) ?? throw body.Missing(name);
        if (value.ValueKind == JsonValueKind.String)
        {
            return [Encode(body.String(name)!, body.At(name))];
        }

        IReadOnlyList<JsonElement> items = body.Array(name)!;
        if (items.Count == 0)
        {
            throw ApiException.Bad(body.At(name), $"{body.At(name)}: expected at least one item, got none");
        }

        if (items[0].ValueKind == JsonValueKind.Number)
        {
            return [Ids(items, body.At(name))];
        }

        if (items.Count > most)
        {
            throw ApiException.Bad(body.At(name), $"{body.At(name)}: expected at most {most} items, got {items.Count}");
        }

        if (items[0].ValueKind == JsonValueKind.String)
        {
            return [.. body.Strings(name, most).Select((text, i) => Encode(text, $"{body.At(name)}[{i}]"))];
        }

        return [.. items.Select((item, i) => item.ValueKind == JsonValueKind.Array
            ? Ids([.. item.EnumerateArray()], $"{body.At(name)}[{i}]")
            : throw ApiException.Bad($"{body.At(name)}[{i}]", $"{body.At(name)}[{i}]: expected an array of tokens, got {RequestObject.Kind(item)}"))];

        int[] Encode(string text, string where)
        {
            int[] ids = tokenizer.EncodePrompt(text);
            return ids.Length > 0 ? ids : throw ApiException.Bad(where, $"{where}: expected text, got none");
        }

        int[] Ids(IReadOnlyList<JsonElement> ids, string where)
        {
            var result = new int[ids.Count];
            for (int i = 0; i < result.Length; i++)
            {
                if (ids[i].ValueKind != JsonValueKind.Number || !ids[i].TryGetInt32(out result[i]) || (uint)result[i] >= (uint)tokenizer.VocabularySize)
                {
                    throw ApiException.Bad($"{where}[{i}]", $"{where}[{i}]: expected a token id below {tokenizer.VocabularySize}, got {RequestObject.Kind(ids[i])}");
                }
            }

            return result.Length > 0 ? result : throw ApiException.Bad(where, $"{where}: expected at least one token, got none");
        }
    }
}
