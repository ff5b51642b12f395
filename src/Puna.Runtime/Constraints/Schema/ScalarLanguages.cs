using System.Text.Json;
using Puna.Runtime.Constraints.Automata;
using Puna.Tensors;

namespace Puna.Runtime.Constraints.Schema;

/// <summary>What sets of subschemas allow of null, booleans, numbers and strings.</summary>
internal sealed class ScalarLanguages(SchemaDocument document, CompileBudget budget)
{
    [Flags]
    private enum Types
    {
        None = 0,
        Null = 1,
        Boolean = 2,
        Integer = 4,
        Fraction = 8,
        String = 16,
        Array = 32,
        Object = 64,
        All = 127,
    }

    private readonly Dictionary<string, CodePointDfa> _patterns = new(StringComparer.Ordinal);
    private readonly CodePointDfa _anyNumber = NumberLanguages.Any(budget);
    private readonly CodePointDfa _anyInteger = NumberLanguages.Integer(budget);
    private readonly CodePointDfa _integerConstant = NumberLanguages.IntegerValue(budget);

    /// <summary>Whether the keyword type leaves any.</summary>
    public bool HasTypes(HashSet<int> sources) => TypesOf(sources) != Types.None;

    public bool AllowsArrays(HashSet<int> sources) => (TypesOf(sources) & Types.Array) != 0 && !HasEnum(sources);

    public bool AllowsObjects(HashSet<int> sources) => (TypesOf(sources) & Types.Object) != 0 && !HasEnum(sources);

    public CodePointDfa Pattern(string pattern, string where)
    {
        if (!_patterns.TryGetValue(pattern, out CodePointDfa? dfa))
        {
            _patterns.Add(pattern, dfa = RegexCompiler.Compile(pattern, true, budget, where));
        }

        return dfa;
    }

    public SchemaBranch Branch(HashSet<int> sources)
    {
        Types types = TypesOf(sources);
        var branch = new SchemaBranch
        {
            Null = (types & Types.Null) != 0,
            True = (types & Types.Boolean) != 0,
            False = (types & Types.Boolean) != 0,
            Number = (types & Types.Fraction) != 0 ? _anyNumber : (types & Types.Integer) != 0 ? (HasEnum(sources) ? _integerConstant : _anyInteger) : null,
            String = (types & Types.String) != 0 ? CodePointDfa.Anything : null,
        };
        foreach (int id in sources)
        {
            JsonElement schema = document[id].Element;
            if (schema.ValueKind != JsonValueKind.Object)
            {
                continue;
            }

            string where = document.Where(id);
            foreach (JsonProperty property in schema.EnumerateObject())
            {
                Restrict(branch, schema, property.Name, property.Value, where);
            }

            Lengths(branch, schema, where);
        }

        branch.Number = branch.Number is { IsEmpty: true } ? null : branch.Number;
        branch.String = branch.String is { IsEmpty: true } ? null : branch.String;
        return branch;
    }

    private static Types TypeOf(string? name, string where) => name switch
    {
        "null" => Types.Null,
        "boolean" => Types.Boolean,
        "integer" => Types.Integer,
        "number" => Types.Integer | Types.Fraction,
        "string" => Types.String,
        "array" => Types.Array,
        "object" => Types.Object,
        _ => throw new PunaException($"type: expected null, boolean, integer, number, string, array or object, got {name} ({where})"),
    };

    private static bool IsContainer(JsonElement value) => value.ValueKind is JsonValueKind.Object or JsonValueKind.Array;

    private Types TypesOf(HashSet<int> sources)
    {
        Types types = Types.All;
        foreach (int id in sources)
        {
            JsonElement schema = document[id].Element;
            if (schema.ValueKind == JsonValueKind.Object && schema.TryGetProperty("type", out JsonElement type))
            {
                string where = document.Where(id);
                Types named = Types.None;
                if (type.ValueKind == JsonValueKind.Array)
                {
                    foreach (JsonElement one in type.EnumerateArray())
                    {
                        named |= TypeOf(one.ValueKind == JsonValueKind.String ? one.GetString() : one.ValueKind.ToString(), where);
                    }
                }
                else
                {
                    named = TypeOf(type.ValueKind == JsonValueKind.String ? type.GetString() : type.ValueKind.ToString(), where);
                }

                // OpenAPI 3.0.3: adds null to the types of the same schema; other keywords, enum too, hold as they are.
                types &= schema.TryGetProperty("nullable", out JsonElement nullable) && nullable.ValueKind == JsonValueKind.True ? named | Types.Null : named;
            }
        }

        return types;
    }

    /// <summary>Whether constants without containers are listed; lists with containers have become alternatives.</summary>
    private bool HasEnum(HashSet<int> sources)
    {
        foreach (int id in sources)
        {
            JsonElement schema = document[id].Element;
            if (schema.ValueKind == JsonValueKind.Object
                && ((schema.TryGetProperty("enum", out JsonElement values) && !values.EnumerateArray().Any(IsContainer))
                    || (schema.TryGetProperty("const", out JsonElement value) && !IsContainer(value))))
            {
                return true;
            }
        }

        return false;
    }

    private void Restrict(SchemaBranch branch, JsonElement schema, string keyword, JsonElement value, string where)
    {
        switch (keyword)
        {
            case "enum":
                if (!value.EnumerateArray().Any(IsContainer))
                {
                    Constants(branch, [.. value.EnumerateArray()], where);
                }

                break;
            case "const":
                if (!IsContainer(value))
                {
                    Constants(branch, [value], where);
                }

                break;
            case SchemaNegation.NotEnum:
                Exclude(branch, [.. value.EnumerateArray()], where);
                break;
            case "pattern":
                branch.String = branch.String?.Intersect(Pattern(Text(value, keyword, where), where), budget, where);
                break;
            case SchemaNegation.NotPattern:
                branch.String = branch.String?.Except(Pattern(Text(value, keyword, where), where), budget, where);
                break;
            case "format":
                string format = Text(value, keyword, where);
                if (branch.String is not null)
                {
                    branch.String = branch.String.Intersect(Format(format, where), budget, where);
                }

                break;
            case "minimum":
                bool open = schema.TryGetProperty("exclusiveMinimum", out JsonElement exclusive) && exclusive.ValueKind == JsonValueKind.True;
                Bound(branch, value, keyword, 1, !open, where);
                break;
            case "maximum":
                bool below = schema.TryGetProperty("exclusiveMaximum", out JsonElement upper) && upper.ValueKind == JsonValueKind.True;
                Bound(branch, value, keyword, -1, !below, where);
                break;
            case "exclusiveMinimum" when value.ValueKind is not (JsonValueKind.True or JsonValueKind.False):
                Bound(branch, value, keyword, 1, false, where);
                break;
            case "exclusiveMaximum" when value.ValueKind is not (JsonValueKind.True or JsonValueKind.False):
                Bound(branch, value, keyword, -1, false, where);
                break;
            case "multipleOf":
                DecimalBound divisor = Number(value, keyword, where);
                if (divisor.IsZero || divisor.Negative)
                {
                    throw new PunaException($"multipleOf: expected a positive number, got {value.GetRawText()} ({where})");
                }

                branch.Number = branch.Number?.Intersect(NumberLanguages.MultipleOf(divisor, budget, where), budget, where);
                break;
        }
    }

    private void Bound(SchemaBranch branch, JsonElement value, string keyword, int side, bool orEqual, string where)
    {
        DecimalBound bound = Number(value, keyword, where);
        branch.Number = branch.Number?.Intersect(NumberLanguages.Compared(bound, side, orEqual, budget, where), budget, where);
    }

    private static DecimalBound Number(JsonElement value, string keyword, string where) =>
        value.ValueKind != JsonValueKind.Number
            ? throw new PunaException($"{keyword}: expected a number, got {value.ValueKind} ({where})")
            : DecimalBound.Parse(value.GetRawText())
                ?? throw new PunaException($"{keyword}: expected a number of at most {DecimalBound.MaxDigits} digits, got {value.GetRawText()} ({where})");

    private static string Text(JsonElement value, string keyword, string where) =>
        value.ValueKind == JsonValueKind.String ? value.GetString()! : throw new PunaException($"{keyword}: expected a string, got {value.ValueKind} ({where})");

    private CodePointDfa Format(string format, string where) =>
        StringFormats.Find(format, budget, where)
        ?? throw new PunaException($"format: expected {string.Join(", ", StringFormats.Names.Order(StringComparer.Ordinal))}, got {format} ({where})");

    private void Lengths(SchemaBranch branch, JsonElement schema, string where)
    {
        int min = JsonCounts.Read(schema, "minLength", where) ?? 0;
        int? max = JsonCounts.Read(schema, "maxLength", where);
        if (branch.String is null || (min == 0 && max is null))
        {
            return;
        }

        if (min > max)
        {
            branch.String = null;
            return;
        }

        if (Math.Max(min, max ?? 0) > budget.Limits.MaxStringLength)
        {
            throw new PunaException($"{(max is null ? "minLength" : "maxLength")}: expected at most {budget.Limits.MaxStringLength}, got {Math.Max(min, max ?? 0)} ({where})");
        }

        branch.String = branch.String.Intersect(CodePointDfa.OfLength(min, max), budget, where);
    }

    private void Constants(SchemaBranch branch, JsonElement[] values, string where)
    {
        branch.Null &= Array.Exists(values, v => v.ValueKind == JsonValueKind.Null);
        branch.True &= Array.Exists(values, v => v.ValueKind == JsonValueKind.True);
        branch.False &= Array.Exists(values, v => v.ValueKind == JsonValueKind.False);
        branch.String = branch.String?.Intersect(Strings(values), budget, where);
        CodePointDfa? numbers = Numbers(values, where);
        branch.Number = numbers is null ? null : branch.Number?.Intersect(numbers, budget, where);
    }

    private void Exclude(SchemaBranch branch, JsonElement[] values, string where)
    {
        branch.Null &= !Array.Exists(values, v => v.ValueKind == JsonValueKind.Null);
        branch.True &= !Array.Exists(values, v => v.ValueKind == JsonValueKind.True);
        branch.False &= !Array.Exists(values, v => v.ValueKind == JsonValueKind.False);
        branch.String = branch.String?.Except(Strings(values), budget, where);
        if (Numbers(values, where) is { } numbers && branch.Number is { } number)
        {
            // Exponents would spell an excluded number differently.
            CodePointDfa plain = RegexCompiler.Compile("[^eE]*", false, budget, where);
            branch.Number = number.Intersect(plain, budget, where).Except(numbers, budget, where);
        }
    }

    private static CodePointDfa Strings(JsonElement[] values) => CodePointDfa.OfTexts(values.Where(v => v.ValueKind == JsonValueKind.String).Select(v => v.GetString()!));

    private CodePointDfa? Numbers(JsonElement[] values, string where)
    {
        CodePointDfa? union = null;
        foreach (JsonElement value in values)
        {
            if (value.ValueKind == JsonValueKind.Number)
            {
                DecimalBound bound = Number(value, "enum", where);
                CodePointDfa equal = NumberLanguages.Compared(bound, 0, true, budget, where);
                union = union is null ? equal : union.Union(equal, budget, where);
            }
        }

        return union;
    }
}
