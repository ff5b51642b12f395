using System.Globalization;
using System.Text.Json;
using Puna.Runtime.Constraints.Automata;
using Puna.Tensors;

namespace Puna.Runtime.Constraints.Schema;

/// <summary>What sets of subschemas allow of arrays and objects.</summary>
internal sealed class ContainerShapes(
    SchemaDocument document, CompileBudget budget, ScalarLanguages scalars, Func<int[], SchemaNode> nodeOf, Func<int[], string, CodePointDfa> stringsOf)
{
    public void Add(SchemaBranch branch, HashSet<int> sources)
    {
        int[] ids = [.. sources.Where(id => document[id].Element.ValueKind == JsonValueKind.Object).Order()];
        bool arrays = scalars.AllowsArrays(sources);
        bool objects = scalars.AllowsObjects(sources);
        branch.Array = Array(ids) is { } array && arrays ? array : null;
        branch.Object = objects ? Object(ids) : null;
    }

    /// <summary>The nodes of the values within the values of a branch.</summary>
    public static IEnumerable<SchemaNode> Children(SchemaBranch branch) =>
        (branch.Array is { } array ? array.Prefix.Append(array.Rest) : []).Concat(branch.Object is { } shape ? shape.Named.Concat(shape.Extra) : []);

    /// <summary>Items every array has.</summary>
    public static List<SchemaNode> NeededItems(ArrayShape array) =>
        [.. Enumerable.Range(0, Math.Min(array.Min, array.Prefix.Length + 1)).Select(array.Item)];

    /// <summary>Values every object has.</summary>
    public static List<SchemaNode> NeededValues(ObjectShape shape) => [.. Enumerable.Range(0, shape.Named.Length).Where(i => ObjectShape.Has(shape.Required, i)).Select(i => shape.Named[i])];

    private ArrayShape? Array(int[] ids)
    {
        int min = 0;
        int? max = null;
        int prefixLength = 0;
        foreach (int id in ids)
        {
            JsonElement schema = document[id].Element;
            string where = document.Where(id);
            min = Math.Max(min, JsonCounts.Read(schema, "minItems", where) ?? 0);
            int? limit = JsonCounts.Read(schema, "maxItems", where);
            max = limit is null ? max : Math.Min(limit.Value, max ?? int.MaxValue);
            prefixLength = Math.Max(prefixLength, Prefix(schema)?.Items.GetArrayLength() ?? 0);
        }

        foreach (int id in ids)
        {
            if (document[id].Element.TryGetProperty("uniqueItems", out JsonElement unique) && unique.ValueKind == JsonValueKind.True && (max is null or > 1) && scalars.AllowsArrays([.. ids]))
            {
                throw new PunaException($"keyword: expected a supported one, got uniqueItems of more than one item ({document.Where(id)})");
            }
        }

        var prefix = new SchemaNode[prefixLength];
        for (int i = 0; i < prefixLength; i++)
        {
            prefix[i] = nodeOf([.. ids.Select(id => Item(id, i)).Where(item => item >= 0)]);
        }

        return new(prefix, nodeOf([.. ids.Select(id => Item(id, int.MaxValue)).Where(item => item >= 0)]), min, max);
    }

    private static (string Keyword, JsonElement Items)? Prefix(JsonElement schema) =>
        schema.TryGetProperty("prefixItems", out JsonElement prefix) ? ("prefixItems", prefix)
        : schema.TryGetProperty("items", out JsonElement items) && items.ValueKind == JsonValueKind.Array ? ("items", items)
        : null;

    /// <summary>The subschema for an item by position, or -1.</summary>
    private int Item(int id, int index)
    {
        JsonElement schema = document[id].Element;
        (string Keyword, JsonElement Items)? prefix = Prefix(schema);
        if (prefix is { } found && index < found.Items.GetArrayLength())
        {
            return document.Child(id, found.Items[index], found.Keyword, index.ToString(CultureInfo.InvariantCulture));
        }

        string rest = prefix?.Keyword == "items" ? "additionalItems" : "items";
        return schema.TryGetProperty(rest, out JsonElement items) ? document.Child(id, items, rest) : -1;
    }

    private ObjectShape Object(int[] ids)
    {
        int min = 0;
        int? max = null;
        var names = new Dictionary<string, int>(StringComparer.Ordinal);
        var required = new HashSet<string>(StringComparer.Ordinal);
        var dependent = new List<(string Trigger, string[] Needed)>();
        var patterns = new List<(int Id, string Pattern, JsonElement Schema)>();
        var keyNames = new List<int>();
        foreach (int id in ids)
        {
            JsonElement schema = document[id].Element;
            string where = document.Where(id);
            min = Math.Max(min, JsonCounts.Read(schema, "minProperties", where) ?? 0);
            int? limit = JsonCounts.Read(schema, "maxProperties", where);
            max = limit is null ? max : Math.Min(limit.Value, max ?? int.MaxValue);
            foreach (JsonProperty property in Members(schema, "properties"))
            {
                names.TryAdd(property.Name, names.Count);
            }

            foreach (JsonProperty property in Members(schema, "patternProperties"))
            {
                patterns.Add((id, property.Name, property.Value));
            }

            if (schema.TryGetProperty("required", out JsonElement needed))
            {
                required.UnionWith(Names(needed));
            }

            foreach (string keyword in (string[])["dependentRequired", "dependencies"])
            {
                foreach (JsonProperty property in Members(schema, keyword))
                {
                    if (property.Value.ValueKind == JsonValueKind.Array)
                    {
                        dependent.Add((property.Name, Names(property.Value)));
                    }
                }
            }

            if (schema.TryGetProperty("propertyNames", out JsonElement namesSchema))
            {
                keyNames.Add(document.Child(id, namesSchema, "propertyNames"));
            }
        }

        foreach (string name in required.Concat(dependent.SelectMany(d => d.Needed.Append(d.Trigger))))
        {
            names.TryAdd(name, names.Count);
        }

        string at = ids.Length == 0 ? "#" : document.Where(ids[0]);
        string[] distinct = [.. patterns.Select(p => p.Pattern).Distinct()];
        CodePointDfa[] automata = [.. distinct.Select(pattern => scalars.Pattern(pattern, at))];
        var named = new SchemaNode[names.Count];
        foreach ((string name, int i) in names)
        {
            named[i] = nodeOf([.. ids.SelectMany(id => Values(id, name, pattern => automata[System.Array.IndexOf(distinct, pattern)].Matches(name), patterns))]);
        }

        CodePointDfa? allowed = keyNames.Count == 0 ? null : stringsOf([.. keyNames], at);
        var builder = new KeyAutomatonBuilder(names, automata, allowed, budget, at);
        SchemaNode[] extra = [.. builder.PatternSets.Select(set => nodeOf([.. ids.SelectMany(id => Values(id, null, pattern => set[System.Array.IndexOf(distinct, pattern)], patterns))]))];
        return new(builder.Build(), named, extra, Bits(required, names), [.. dependent.Select(d => (names[d.Trigger], Bits(d.Needed, names)))], min, max);
    }

    /// <summary>The subschemas of one schema for the value of a property; a name of null is one that no schema names.</summary>
    private List<int> Values(int id, string? name, Func<string, bool> matches, List<(int Id, string Pattern, JsonElement Schema)> patterns)
    {
        JsonElement schema = document[id].Element;
        var values = new List<int>();
        if (name is not null && schema.TryGetProperty("properties", out JsonElement properties) && properties.TryGetProperty(name, out JsonElement property))
        {
            values.Add(document.Child(id, property, "properties", name));
        }

        foreach ((int owner, string pattern, JsonElement value) in patterns)
        {
            if (owner == id && matches(pattern))
            {
                values.Add(document.Child(id, value, "patternProperties", pattern));
            }
        }

        if (values.Count == 0 && schema.TryGetProperty("additionalProperties", out JsonElement additional))
        {
            values.Add(document.Child(id, additional, "additionalProperties"));
        }

        return values;
    }

    private static ulong[] Bits(IEnumerable<string> chosen, Dictionary<string, int> names)
    {
        ulong[] bits = new ulong[Math.Max(1, (names.Count + 63) / 64)];
        foreach (string name in chosen)
        {
            bits[names[name] >> 6] |= 1UL << (names[name] & 63);
        }

        return bits;
    }

    private static IEnumerable<JsonProperty> Members(JsonElement schema, string keyword) =>
        schema.TryGetProperty(keyword, out JsonElement value) ? value.EnumerateObject() : [];

    private static string[] Names(JsonElement value) => [.. value.EnumerateArray().Select(v => v.GetString()!)];
}
