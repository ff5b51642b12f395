using Puna.Runtime.Constraints;
using Puna.Tensors;

namespace Puna.Runtime.Tests.Constraints.Schema;

public sealed class ExclusionProofTests
{
    /// <summary>Schemas with alternatives that contain the whole, texts that fulfil them, texts that do not: as the definitions of the keywords say.</summary>
    public static TheoryData<string, string[], string[]> Recursive => new()
    {
        {
            """{"oneOf":[{"type":"object","properties":{"child":{"$ref":"#"},"t":{"const":"node"}},"required":["child","t"]},{"type":"object","properties":{"t":{"const":"leaf"}},"required":["t"]}]}""",
            ["""{"t":"leaf"}""", """{"child":{"t":"leaf"},"t":"node"}""", """{"t":"node","child":{"child":{"t":"leaf"},"t":"node"}}"""],
            ["""{"child":7,"t":"node"}""", """{"t":"node","child":7}""", """{"child":{"child":7,"t":"node"},"t":"node"}""", """{"t":"node"}"""]
        },
        {
            """{"$defs":{"E":{"oneOf":[{"type":"object","properties":{"left":{"$ref":"#/$defs/E"},"kind":{"const":"bin"}},"required":["left","kind"]},{"type":"object","properties":{"kind":{"const":"lit"},"value":{"type":"number"}},"required":["kind","value"]}]}},"$ref":"#/$defs/E"}""",
            ["""{"kind":"lit","value":1}""", """{"left":{"kind":"lit","value":1},"kind":"bin"}""", """{"left":{"left":{"kind":"lit","value":1},"kind":"bin"},"kind":"bin"}"""],
            ["""{"left":"garbage","kind":"bin"}""", """{"left":{"x":1},"kind":"bin"}""", """{"left":null,"kind":"bin"}""", """{"left":{"kind":"bin"},"kind":"bin"}""", """{"kind":"bin"}"""]
        },
        {
            """{"$defs":{"F":{"oneOf":[{"type":"object","properties":{"args":{"type":"array","minItems":1,"items":{"$ref":"#/$defs/F"}},"op":{"enum":["and","or"]}},"required":["args","op"]},{"type":"object","properties":{"field":{"type":"string"},"op":{"const":"eq"}},"required":["field","op"]}]}},"$ref":"#/$defs/F"}""",
            ["""{"op":"eq","field":"a"}""", """{"args":[{"op":"eq","field":"a"}],"op":"and"}""", """{"op":"or","args":[{"args":[{"field":"a","op":"eq"}],"op":"and"}]}"""],
            ["""{"args":[1],"op":"and"}""", """{"args":[{"op":"zz"}],"op":"and"}""", """{"args":[],"op":"and"}""", """{"args":[{"args":[1],"op":"or"}],"op":"and"}"""]
        },
        {
            """{"type":"object","properties":{"next":{"oneOf":[{"type":"null"},{"$ref":"#"}]},"v":{"type":"integer"}},"required":["next","v"],"additionalProperties":false}""",
            ["""{"next":null,"v":1}""", """{"next":{"next":null,"v":2},"v":1}"""],
            ["""{"next":1,"v":1}""", """{"next":{"v":1},"v":1}""", """{"next":{"next":2,"v":2},"v":1}"""]
        },
        {
            """{"oneOf":[{"type":"array","minItems":2,"prefixItems":[{"$ref":"#"},{"const":"x"}]},{"type":"array","minItems":2,"prefixItems":[{},{"const":"y"}]},{"type":"null"}]}""",
            ["null", """[null,"x"]""", """[5,"y"]""", """[[3,"y"],"x"]"""],
            ["""[5,"x"]""", """[[3,"z"],"x"]""", """[[3,"x"],"x"]"""]
        },
    };

    [Theory]
    [MemberData(nameof(Recursive))]
    public void AlternativesThatContainTheWholeAreEnforcedAllTheWayDown(string schema, string[] accepted, string[] rejected)
    {
        JsonSchemaConstraint constraint = ConstraintChecks.JsonSchema(schema);
        Assert.All(accepted, text => Assert.True(ConstraintChecks.Accepts(constraint, text), $"{text} should be accepted"));
        Assert.All(rejected, text => Assert.False(ConstraintChecks.Accepts(constraint, text), $"{text} should be rejected"));
    }

    [Theory]
    // Some values fulfil both alternatives, and neither's negation can be written.
    [InlineData("""{"$defs":{"n":{"type":"object","oneOf":[{"properties":{"next":{"$ref":"#/$defs/n"}},"required":["next"]},{"required":["next","leaf"],"properties":{"leaf":{"type":"string"}}}]}},"$ref":"#/$defs/n"}""")]
    [InlineData("""{"oneOf":[{"type":"array","items":{"$ref":"#"}},{"type":"array","items":{"type":"string"}},{"type":"null"}]}""")]
    public void WhatIsNotProvedIsRefused(string schema) =>
        Assert.StartsWith("oneOf: expected alternatives that exclude one another", Assert.Throws<PunaException>(() => ConstraintChecks.JsonSchema(schema)).Message, StringComparison.Ordinal);

    [Fact]
    public void ManyWaysIntoTheRecursionAreLookedAtOnce()
    {
        // Twelve needed children each: without memory a proof would look at 12^6 paths. The tag comes last, after all of them.
        string children = string.Join(",", Enumerable.Range(0, 12).Select(i => $"\"c{i}\":{{\"$ref\":\"#\"}}"));
        string needed = string.Join(",", Enumerable.Range(0, 12).Select(i => $"\"c{i}\""));
        string Node(string tag) => $$$"""{"type":"object","properties":{{{{children}}},"t":{"const":"{{{tag}}}"}},"required":[{{{needed}}},"t"]}""";
        string schema = $$"""{"oneOf":[{{Node("a")}},{{Node("b")}},{"type":"null"}]}""";
        JsonSchemaConstraint constraint = ConstraintChecks.JsonSchema(schema);
        string value = "{" + string.Join(",", Enumerable.Range(0, 12).Select(i => $"\"c{i}\":null")) + ",\"t\":\"b\"}";
        Assert.True(ConstraintChecks.Accepts(constraint, value));
        Assert.False(ConstraintChecks.Accepts(constraint, value.Replace("\"b\"", "\"c\"", StringComparison.Ordinal)));
    }
}
