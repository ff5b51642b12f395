using Puna.Tensors;

namespace Puna.Runtime.Tests.Constraints.Schema;

public sealed class KeywordKindsTests
{
    [Theory]
    [InlineData("""{"type":"object","properties":{"a":{"type":"string","required":true}}}""", "required: expected an array of names, got True (#/properties/a)")]
    [InlineData("""{"type":"string","properties":5}""", "properties: expected an object of schemas, got Number (#)")]
    [InlineData("""{"type":"string","properties":{"a":5}}""", "properties: expected an object of schemas")]
    [InlineData("""{"type":"string","items":7}""", "items: expected a schema (an object or a boolean) or an array of schemas, got Number (#)")]
    [InlineData("""{"type":"string","required":"a"}""", "required: expected an array of names, got String (#)")]
    [InlineData("""{"type":"object","required":["a",1]}""", "required: expected an array of names, got another kind of Array (#)")]
    [InlineData("""{"type":"array","prefixItems":{"type":"string"}}""", "prefixItems: expected an array of schemas, got another kind of Object (#)")]
    [InlineData("""{"type":"array","uniqueItems":"yes"}""", "uniqueItems: expected a boolean, got String (#)")]
    [InlineData("""{"type":"integer","minLength":"x"}""", "minLength: expected a count")]
    [InlineData("""{"type":"string","maxProperties":-1}""", "maxProperties: expected a count")]
    [InlineData("""{"type":"integer","pattern":5}""", "pattern: expected a string, got Number (#)")]
    [InlineData("""{"type":"string","format":true}""", "format: expected a string")]
    [InlineData("""{"type":"string","minimum":"2"}""", "minimum: expected a number")]
    [InlineData("""{"type":"number","exclusiveMinimum":"x","minimum":1}""", "exclusiveMinimum: expected a number, or a boolean with a bound beside it")]
    [InlineData("""{"type":"number","exclusiveMinimum":true}""", "exclusiveMinimum: expected a number, or a boolean with a bound beside it")]
    [InlineData("""{"type":"string","patternProperties":[]}""", "patternProperties: expected an object of schemas")]
    [InlineData("""{"type":"string","additionalProperties":5}""", "additionalProperties: expected a schema")]
    [InlineData("""{"type":"string","propertyNames":"a"}""", "propertyNames: expected a schema")]
    [InlineData("""{"type":"string","dependentRequired":{"a":"b"}}""", "dependentRequired: expected an object of arrays of names")]
    [InlineData("""{"type":"string","dependencies":{"a":"b"}}""", "dependencies: expected an object of schemas and arrays of names")]
    [InlineData("""{"type":"string","dependentSchemas":{"a":["b"]}}""", "dependentSchemas: expected an object of schemas")]
    [InlineData("""{"type":"string","then":3}""", "then: expected a schema")]
    [InlineData("""{"type":"string","enum":"a"}""", "enum: expected an array")]
    [InlineData("""{"anyOf":[]}""", "anyOf: expected an array of schemas that is not empty")]
    [InlineData("""{"allOf":[1]}""", "allOf: expected an array of schemas")]
    [InlineData("""{"$ref":5}""", "$ref: expected a string")]
    [InlineData("""{"$defs":[]}""", "$defs: expected an object")]
    [InlineData("""{"type":["string",5]}""", "type: expected a string or an array of strings")]
    [InlineData("""{"type":"string","not":{"type":"object","properties":5}}""", "properties: expected an object of schemas")]
    public void AValueOfAnotherKindIsRefusedByNameAndPlace(string schema, string message) =>
        Assert.StartsWith(message, Assert.Throws<PunaException>(() => ConstraintChecks.JsonSchema(schema)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("""{"type":"string","properties":{"a":true,"b":{}},"items":[],"required":[],"dependencies":{"a":["b"],"c":false},"minItems":2.0,"exclusiveMinimum":false}""")]
    [InlineData("""{"type":"string","minimum":1,"exclusiveMinimum":true,"$defs":{"x":{"required":true}},"default":5,"examples":3,"title":{}}""")]
    public void WhatSaysNothingOfStringsIsTakenWhereItIsWellFormed(string schema) => Assert.True(ConstraintChecks.Accepts(ConstraintChecks.JsonSchema(schema), "\"a\""));
}
