using Puna.Runtime.Constraints;
using Puna.Tensors;

namespace Puna.Runtime.Tests.Constraints.Schema;

public sealed class SchemaReferencesTests
{
    /// <summary>Schemas for the property p, texts that fulfil them, texts that do not: as the drafts of JSON Schema say of identifiers, anchors and references.</summary>
    public static TheoryData<string, string[], string[]> Places => new()
    {
        // A pointer begins at the nearest identifier.
        { """{"$id":"http://x/root","$defs":{"a":{"$id":"http://x/a","$defs":{"b":{"type":"integer"}},"$ref":"#/$defs/b"},"b":{"type":"string"}},"properties":{"p":{"$ref":"#/$defs/a"}}}""", ["1"], ["\"s\""] },
        { """{"$defs":{"a":{"$id":"http://x/a","$defs":{"b":{"type":"integer"}},"properties":{"q":{"allOf":[{"$ref":"#/$defs/b"}]}}},"b":{"type":"string"}},"properties":{"p":{"$ref":"#/$defs/a"}}}""", ["{\"q\":1}"], ["{\"q\":\"s\"}"] },
        // So does an anchor.
        { """{"$id":"http://x/root","$defs":{"a":{"$id":"a.json","$anchor":"q","type":"integer"},"b":{"$anchor":"q","type":"string"}},"properties":{"p":{"$ref":"#q"}}}""", ["\"x\""], ["1"] },
        { """{"$id":"http://x/root","$defs":{"a":{"$id":"a.json","$anchor":"q","type":"integer"},"b":{"$anchor":"q","type":"string"}},"properties":{"p":{"$ref":"a.json#q"}}}""", ["1"], ["\"x\""] },
        // Identifiers are relative to those around them, and may be named from anywhere.
        { """{"$id":"http://x/dir/root","$defs":{"a":{"$id":"/other/","$defs":{"b":{"$id":"c","type":"null"}}}},"properties":{"p":{"$ref":"http://x/other/c"}}}""", ["null"], ["1"] },
        { """{"$id":"http://x/dir/root#","$defs":{"a":{"type":"integer"}},"properties":{"p":{"$ref":"root#/$defs/a"}}}""", ["1"], ["null"] },
        { """{"$defs":{"a":{"$id":"a","$defs":{"b":{"type":"integer"}}}},"properties":{"p":{"$ref":"a#/$defs/b"}}}""", ["1"], ["null"] },
        { """{"$id":"urn:uuid:1b4e28ba-2fa1-11d2-883f-0016d3cca427","$defs":{"a":{"$id":"urn:x:y","type":"integer"}},"properties":{"p":{"$ref":"urn:x:y"}}}""", ["1"], ["null"] },
        // Draft 4 calls it id; before 2019-09 what stands beside a reference is none.
        { """{"$schema":"http://json-schema.org/draft-04/schema#","definitions":{"a":{"id":"http://x/a","definitions":{"b":{"type":"integer"}},"items":{"$ref":"#/definitions/b"}},"b":{"type":"string"}},"properties":{"p":{"$ref":"#/definitions/a"}}}""", ["[1]"], ["[\"s\"]"] },
        { """{"$schema":"http://json-schema.org/draft-07/schema#","definitions":{"a":{"id":"http://x/a","definitions":{"b":{"type":"integer"}},"items":{"$ref":"#/definitions/b"}},"b":{"type":"string"}},"properties":{"p":{"$ref":"#/definitions/a"}}}""", ["[\"s\"]"], ["[1]"] },
        { """{"$schema":"http://json-schema.org/draft-07/schema#","definitions":{"a":{"$id":"http://x/a","definitions":{"b":{"type":"integer"}},"$ref":"#/definitions/b"},"b":{"type":"string"}},"properties":{"p":{"$ref":"#/definitions/a"}}}""", ["\"s\""], ["1"] },
        { """{"definitions":{"a":{"$id":"#here","type":"integer"}},"properties":{"p":{"$ref":"#here"}}}""", ["1"], ["null"] },
        // Names of properties are no keywords, constants no schemas.
        { """{"properties":{"p":{"$ref":"#here"},"default":{"$anchor":"here","type":"integer"},"$ref":{"type":"string"},"$id":{"const":{"$anchor":"here"}}}}""", ["1"], ["null"] },
        // An identifier that nothing is relative to changes nothing; two of the same name are told apart by where they are.
        { """{"$defs":{"a":{"$id":"http://x/a","type":"integer"},"b":{"$id":"http://x/a","type":"string","$defs":{"c":{"type":"null"}},"not":{"const":"no"}}},"properties":{"p":{"anyOf":[{"$ref":"#/$defs/a"},{"$ref":"#/$defs/b"}]}}}""", ["1", "\"s\""], ["null", "\"no\""] },
        { """{"$defs":{"a":{"$id":"x","$defs":{"t":{"type":"integer"}},"$ref":"x#/$defs/t"},"b":{"$id":"x","$defs":{"t":{"type":"string"}},"items":{"$ref":"#/$defs/t"}}},"properties":{"p":{"anyOf":[{"$ref":"#/$defs/a"},{"type":"array","$ref":"#/$defs/b"}]}}}""", ["1", "[\"s\"]"], ["\"s\"", "[1]"] },
        // What is made of a schema keeps what its references mean.
        { """{"$defs":{"a":{"$id":"http://x/a","$defs":{"b":{"type":"integer"}},"if":{"required":["k"]},"then":{"properties":{"v":{"$ref":"#/$defs/b"}}}},"b":{"type":"string"}},"properties":{"p":{"$ref":"#/$defs/a"}}}""", ["{\"k\":0,\"v\":1}", "{\"v\":\"s\"}"], ["{\"k\":0,\"v\":\"s\"}"] },
        // Percent signs and tildes.
        { """{"$id":"http://x/y","$defs":{"a%25/~":{"type":"integer"}},"properties":{"p":{"$ref":"http://x/y#/$defs/a%2525~1~0"}}}""", ["1"], ["null"] },
    };

    [Theory]
    [MemberData(nameof(Places))]
    public void AReferenceIsReadFromTheIdentifierAroundIt(string schema, string[] accepted, string[] rejected)
    {
        JsonSchemaConstraint constraint = ConstraintChecks.JsonSchema(schema);
        Assert.All(accepted, text => Assert.True(ConstraintChecks.Accepts(constraint, $"{{\"p\":{text}}}"), $"{text} should be accepted"));
        Assert.All(rejected, text => Assert.False(ConstraintChecks.Accepts(constraint, $"{{\"p\":{text}}}"), $"{text} should be rejected"));
    }

    [Theory]
    [InlineData("""{"$defs":{"a":{"$id":"http://x/a","$ref":"#/$defs/b"},"b":{"type":"string"}},"properties":{"p":{"$ref":"#/$defs/a"}}}""")]
    [InlineData("""{"$id":"http://x/root","$ref":"http://y/root"}""")]
    [InlineData("""{"$id":"http://x/root","$ref":"http://x/rooted#"}""")]
    [InlineData("""{"$defs":{"a":{"$anchor":"q","type":"integer"},"b":{"$anchor":"q","type":"string"}},"$ref":"#q"}""")]
    [InlineData("""{"$defs":{"a":{"$id":"x","type":"integer"},"b":{"$id":"x","type":"string"}},"$ref":"x"}""")]
    [InlineData("""{"properties":{"default":{"type":"integer"},"p":{"$ref":"#here"}},"default":{"$anchor":"here"}}""")]
    // Nothing that was made while compiling can be pointed at.
    [InlineData("""{"properties":{"a":{"const":{"k":1}},"b":{"$ref":"#/properties/a<const 0>"}}}""")]
    public void WhatLeadsNowhereOrMayLeadToTwoPlacesIsRefused(string schema) =>
        Assert.StartsWith("$ref: expected a reference", Assert.Throws<PunaException>(() => ConstraintChecks.JsonSchema(schema)).Message, StringComparison.Ordinal);

    [Fact]
    public void APropertyMayHaveTheNameOfWhatIsMade()
    {
        JsonSchemaConstraint constraint = ConstraintChecks.JsonSchema("""{"properties":{"a":{"not":{"type":"string"}},"a<not not>":{"type":"null"}}}""");
        Assert.True(ConstraintChecks.Accepts(constraint, "{\"a\":1,\"a<not not>\":null}"));
        Assert.False(ConstraintChecks.Accepts(constraint, "{\"a<not not>\":1}"));
        Assert.False(ConstraintChecks.Accepts(constraint, "{\"a\":\"s\"}"));
    }
}
