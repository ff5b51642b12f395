using System.Text.Json;
using Puna.Text.HuggingFace;

namespace Puna.Text;

/// <summary>What the small files in a model's folder say of the roles of tokens.</summary>
internal static class FolderRoles
{
    /// <summary>The tokenizer with these roles. Ids outside the vocabulary, and names it does not have, have no effect.</summary>
    public static Tokenizer Apply(Tokenizer tokenizer, string folder)
    {
        TokenRoles roles = tokenizer.Roles;
        var stops = new List<int?>(roles.Stop.Select(static id => (int?)id));
        using JsonFile config = new(folder, "config.json"), generation = new(folder, "generation_config.json");
        foreach (JsonFile file in (ReadOnlySpan<JsonFile>)[config, generation])
        {
            JsonSection inner = file.Root is { IsNull: false } root && root["text_config"] is { IsNull: false } text ? text : file.Root;
            if (inner.IsNull)
            {
                continue;
            }

            List<int> ends = Ids(inner["eos_token_id"], tokenizer);
            stops.AddRange(ends.Select(static id => (int?)id));
            roles = roles with
            {
                Bos = Ids(inner["bos_token_id"], tokenizer) is [int bos, ..] ? bos : roles.Bos,
                Eos = ends.Count > 0 && !ends.Contains(roles.Eos ?? -1) ? ends[0] : roles.Eos,
                Pad = Ids(inner["pad_token_id"], tokenizer) is [int pad, ..] ? pad : roles.Pad,
            };
        }

        using JsonFile map = new(folder, "special_tokens_map.json"), settings = new(folder, "tokenizer_config.json");
        foreach (JsonFile file in (ReadOnlySpan<JsonFile>)[map, settings])
        {
            if (!file.Root.IsNull)
            {
                roles = roles with
                {
                    Bos = Named(file.Root["bos_token"], tokenizer) ?? roles.Bos,
                    Eos = Named(file.Root["eos_token"], tokenizer) ?? roles.Eos,
                    Pad = Named(file.Root["pad_token"], tokenizer) ?? roles.Pad,
                    Unk = Named(file.Root["unk_token"], tokenizer) ?? roles.Unk,
                };
            }
        }

        if (!settings.Root.IsNull)
        {
            roles = Around(roles, tokenizer, settings.Root);
        }

        stops.AddRange([roles.Eos, roles.Eot, roles.Eom]);
        return tokenizer.WithRoles(roles with { Stop = RoleNames.Stop(stops) });
    }

    /// <summary>
    /// Whether BOS and EOS are added. The classes of Llama 2 decide by their settings (BOS unless told otherwise); for all others a template in <c>tokenizer.json</c> counts
    /// first. Meta's own files always begin with BOS.
    /// </summary>
    private static TokenRoles Around(TokenRoles roles, Tokenizer tokenizer, JsonSection settings)
    {
        string name = settings.Text("tokenizer_class") ?? "";
        bool llama = name.StartsWith("Llama", StringComparison.Ordinal) || name.StartsWith("CodeLlama", StringComparison.Ordinal);
        if (tokenizer.Kind == TokenizerKind.Tiktoken || (!llama && (roles.AddBos || roles.AddEos)))
        {
            return roles;
        }

        return roles with { AddBos = settings.Flag("add_bos_token", llama || roles.AddBos), AddEos = settings.Flag("add_eos_token", !llama && roles.AddEos) };
    }

    private static List<int> Ids(JsonSection value, Tokenizer tokenizer)
    {
        var ids = new List<int>();
        foreach (JsonElement item in value.Json.ValueKind == JsonValueKind.Array ? [.. value.Json.EnumerateArray()] : (IEnumerable<JsonElement>)[value.Json])
        {
            if (item.ValueKind == JsonValueKind.Number && item.TryGetInt32(out int id) && id >= 0 && id < tokenizer.VocabularySize)
            {
                ids.Add(id);
            }
        }

        return ids;
    }

    /// <summary>A token given by its text, or by an object that has it as <c>content</c>.</summary>
    private static int? Named(JsonSection value, Tokenizer tokenizer)
    {
        string? name = value.Json.ValueKind switch
        {
            JsonValueKind.String => value.String(),
            JsonValueKind.Object => value.Text("content"),
            _ => null,
        };
        return name is null ? null : tokenizer.IdOf(name);
    }
}
