using System.Text;
using Puna.Runtime.Constraints;

namespace Puna.Fuzz.Targets;

/// <summary>JSON Schemas of constraints.</summary>
public sealed class JsonSchemaTarget : IFuzzTarget
{
    /// <inheritdoc/>
    public string Name => "json-schema";

    /// <inheritdoc/>
    public IReadOnlyList<byte[]> Corpus { get; } =
    [
        .. ((string[])[
            """{"type":"object","properties":{"a":{"type":"integer","minimum":-3,"maximum":12},"b":{"$ref":"#/$defs/n"}},"required":["a"],"additionalProperties":false,"$defs":{"n":{"type":"array","items":{"$ref":"#/$defs/n"},"maxItems":3}}}""",
            """{"anyOf":[{"type":"string","pattern":"^[a-c]+\\d?$","maxLength":5},{"enum":["x",1,null,[1]]},{"const":{"k":2}}]}""",
            """{"oneOf":[{"type":"object","required":["p"]},{"type":"number","multipleOf":0.5,"exclusiveMinimum":0}],"not":{"const":3}}""",
            """{"type":"object","patternProperties":{"^x":{"type":"null"}},"propertyNames":{"minLength":1},"maxProperties":2,"dependentRequired":{"q":["r"]}}""",
            """{"type":"object","if":{"required":["i"]},"then":{"required":["t"]},"else":{"properties":{"e":false}},"allOf":[{"minProperties":1}]}""",
        ]).Select(Encoding.UTF8.GetBytes),
    ];

    private static readonly string[] Members =
    [
        "\"type\":\"string\"", "\"type\":[\"object\",\"array\",\"null\"]", "\"minLength\":3", "\"maxLength\":0", "\"maxLength\":1999", "\"pattern\":\"^(a|b{0,9})*$\"", "\"pattern\":\"(x+x+)+y\"", "\"format\":\"date-time\"",
        "\"format\":\"email\"", "\"format\":\"uri\"", "\"format\":\"ipv6\"", "\"format\":\"moon\"", "\"minimum\":-1e30", "\"maximum\":0.001", "\"exclusiveMaximum\":5", "\"multipleOf\":0.25", "\"multipleOf\":7",
        "\"multipleOf\":1e-300", "\"enum\":[]", "\"enum\":[\"a\",\"\\u0061\",1.0,{\"a\":[]}]", "\"const\":[1,[2]]", "\"items\":{\"$ref\":\"#\"}", "\"prefixItems\":[true,false]", "\"minItems\":4", "\"uniqueItems\":true",
        "\"properties\":{\"\":{},\"a\":false}", "\"required\":[\"a\",\"zz\"]", "\"additionalProperties\":{\"$ref\":\"#\"}", "\"patternProperties\":{\"^[a-z]*$\":{\"type\":\"integer\"}}", "\"propertyNames\":{\"maxLength\":2}",
        "\"minProperties\":9", "\"maxProperties\":0", "\"allOf\":[{\"$ref\":\"#\"},{\"$ref\":\"#/$defs/n\"}]", "\"anyOf\":[{},{\"$ref\":\"#\"}]", "\"oneOf\":[{\"type\":\"string\"},{\"minLength\":2}]",
        "\"not\":{\"type\":\"object\"}", "\"not\":{}", "\"if\":{\"required\":[\"a\"]},\"then\":false", "\"$ref\":\"#/properties/a\"", "\"$ref\":\"#/a~1b%25\"", "\"$defs\":{\"n\":{\"$ref\":\"#/$defs/n\"}}", "\"$anchor\":\"n\"",
        "\"dependentSchemas\":{\"a\":{\"minProperties\":2}}", "\"contains\":{}", "\"nullable\":true",
    ];

    /// <inheritdoc/>
    public byte[]? MutateStructure(FuzzRandom random, byte[] input)
    {
        if (random.OneIn(2))
        {
            return JsonMutator.Mutate(random, input);
        }

        // More keywords beside those that are there, in any of the schema's objects.
        string text = Encoding.UTF8.GetString(input);
        for (int changes = random.Changes(5); changes > 0; changes--)
        {
            int at = text.IndexOf('{', random.Below(text.Length)) is >= 0 and int found ? found : 0;
            bool isEmpty = text.AsSpan(at + 1).TrimStart().StartsWith("}");
            text = text.Insert(at + 1, random.Pick<string>(Members) + (isEmpty ? "" : ","));
        }

        return Encoding.UTF8.GetBytes(text);
    }

    /// <inheritdoc/>
    public void Run(byte[] input) => ConstraintUse.Run(input, (text, vocabulary, limits) => JsonSchemaConstraint.Compile(text, vocabulary, limits));
}
