using Puna.Runtime.Chat;
using Puna.Runtime.Constraints;
using Puna.Runtime.Tests.Constraints;

namespace Puna.Runtime.Tests.Chat;

public sealed class CallSchemaTests
{
    /// <summary>Schemas of arguments, arguments that fulfil them, arguments that do not.</summary>
    public static TheoryData<string, string, string> Parameters => new()
    {
        { """{"type":"object","$defs":{"E":{"type":"string"}},"properties":{"examples":{"type":"array","items":{"$ref":"#/$defs/E"}}}}""", """{"examples":["a"]}""", """{"examples":[1]}""" },
        { """{"type":"object","$defs":{"E":{"type":"string"}},"properties":{"enum":{"$ref":"#/$defs/E"}}}""", """{"enum":"a"}""", """{"enum":1}""" },
        { """{"type":"object","definitions":{"default":{"type":"string","anyOf":[{"$ref":"#/$defs/const"}]}},"$defs":{"const":{"maxLength":1}},"patternProperties":{"^a":{"$ref":"#/definitions/default"}}}""", """{"ab":"c"}""", """{"ab":"cd"}""" },
        { """{"$id":"http://x/y","type":"object","$defs":{"E":{"type":"string"}},"properties":{"a":{"$ref":"http://x/y#/$defs/E"}}}""", """{"a":"b"}""", """{"a":1}""" },
        { """{"$id":"http://x/y","type":"object","properties":{"a":{"$ref":"y"}}}""", """{"a":{"a":{}}}""", """{"a":{"a":1}}""" },
        { """{"type":"object","$defs":{"E":{"$anchor":"e","type":"string"}},"properties":{"a":{"$ref":"#e"}}}""", """{"a":"b"}""", """{"a":1}""" },
        { """{"type":"object","$defs":{"E":{"$id":"http://x/e","$defs":{"F":{"type":"string"}},"items":{"$ref":"#/$defs/F"}}},"properties":{"a":{"$ref":"#/$defs/E"}}}""", """{"a":["b"]}""", """{"a":[1]}""" },
        { """{"$schema":"http://json-schema.org/draft-04/schema#","id":"http://x/y","type":"object","definitions":{"E":{"id":"#e","type":"string"}},"properties":{"a":{"$ref":"http://x/y#e"},"id":{"$ref":"#e"}}}""", """{"a":"b","id":"c"}""", """{"id":1}""" },
    };

    [Theory]
    [MemberData(nameof(Parameters))]
    public void WhatASchemaMeansIsKeptInACall(string parameters, string accepted, string rejected)
    {
        JsonSchemaConstraint alone = ConstraintChecks.JsonSchema(parameters);
        Assert.True(ConstraintChecks.Accepts(alone, accepted));
        Assert.False(ConstraintChecks.Accepts(alone, rejected));
        JsonSchemaConstraint calls = ConstraintChecks.JsonSchema(CallSchema.Of([("g", null), ("f", parameters)], single: false));
        Assert.True(ConstraintChecks.Accepts(calls, Call("f", accepted)));
        Assert.True(ConstraintChecks.Accepts(calls, "[" + Call("f", accepted) + "]"));
        Assert.True(ConstraintChecks.Accepts(calls, Call("g", rejected)));
        Assert.False(ConstraintChecks.Accepts(calls, Call("f", rejected)));
    }

    [Theory]
    [InlineData("\"$anchor\":\"q\"", "#q")]
    [InlineData("\"$id\":\"http://x/q\"", "http://x/q")]
    public void IdentifiersOfOneToolAreNoneOfAnother(string identifier, string reference)
    {
        string Of(string type) => $$$$"""{"$id":"http://x/","type":"object","$defs":{"E":{{{{{identifier}}}},"type":"{{{{type}}}}"}},"properties":{"a":{"$ref":"{{{{reference}}}}"}}}""";
        JsonSchemaConstraint calls = ConstraintChecks.JsonSchema(CallSchema.Of([("f", Of("string")), ("g", Of("integer"))], single: true));
        Assert.True(ConstraintChecks.Accepts(calls, Call("f", """{"a":"s"}""")));
        Assert.True(ConstraintChecks.Accepts(calls, Call("g", """{"a":1}""")));
        Assert.False(ConstraintChecks.Accepts(calls, Call("f", """{"a":1}""")));
        Assert.False(ConstraintChecks.Accepts(calls, Call("g", """{"a":"s"}""")));
    }

    private static string Call(string name, string arguments) => $$"""{"name":"{{name}}","parameters":{{arguments}}}""";
}
