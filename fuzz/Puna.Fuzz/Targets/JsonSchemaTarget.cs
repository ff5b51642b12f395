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

    /// <inheritdoc/>
    public void Run(byte[] input) => ConstraintUse.Run(input, (text, vocabulary, limits) => JsonSchemaConstraint.Compile(text, vocabulary, limits));
}
