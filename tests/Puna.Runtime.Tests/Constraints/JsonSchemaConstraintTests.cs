using System.Text.Json;
using Puna.Runtime.Constraints;
using Puna.Tensors;
using Puna.Tests.Shared;

namespace Puna.Runtime.Tests.Constraints;

public sealed class JsonSchemaConstraintTests
{
    /// <summary>Keyword, schema, texts that fulfil it, texts that do not.</summary>
    public static TheoryData<string, string, string[], string[]> Keywords => new()
    {
        { "true", "true", ["1", "null", "\"a\"", "[1,{}]", "{\"a\":[true,false]}", "-1.5e10"], ["", "01", "nul", "{", "[1,]", "{\"a\":1,}", "1.", "'a'", "\"\n\""] },
        { "duplicates", "{}", ["{\"a\":1,\"b\":1,\"ab\":2}"], ["{\"a\":1,\"a\":1}", "{\"a\":1,\"\\u0061\":1}", "{\"b\":{},\"a\":[{\"x\":1,\"x\":2}]}"] },
        { "type", """{"type":"integer"}""", ["0", "-5", "12"], ["1.5", "3.0", "3.00", "\"1\"", "null", "1e2"] },
        { "type", """{"type":["string","null"]}""", ["\"\"", "null", "\"\\u00e9\\ud83d\\ude00\\n\""], ["1", "true", "\"\\ud800\"", "\"\\x\""] },
        { "nullable", """{"type":"string","nullable":true,"maxLength":1}""", ["\"\"", "\"a\"", "null"], ["\"ab\"", "1", "nul"] },
        { "nullable", """{"type":["integer","array"],"nullable":true,"items":{"type":"object","nullable":false}}""", ["1", "[{}]", "null"], ["[null]", "\"a\""] },
        { "nullable", """{"type":"string","nullable":true,"enum":["a"]}""", ["\"a\""], ["null"] },
        { "nullable", """{"type":"string","nullable":true,"enum":["a",null]}""", ["\"a\"", "null"], ["\"b\""] },
        { "nullable", """{"type":"object","nullable":true,"allOf":[{"type":["object","string"]}]}""", ["{}"], ["null", "\"a\""] },
        { "nullable", """{"type":["string","null","integer"],"not":{"type":"string","nullable":true}}""", ["1"], ["null", "\"a\""] },
        { "type", """{"type":"boolean"}""", ["true", "false"], ["1", "null"] },
        { "type", """{"type":"array"}""", ["[]", "[1]", "[ 1, 2]", "[\n  1,\n  2\n]"], ["{}", "[  1]", "[1 ,2]", "[1\n\n]"] },
        { "enum", """{"enum":["a",1,null,[1,2],{"x":"y"}]}""", ["\"a\"", "\"\\u0061\"", "1", "1.0", "null", "[1,2]", "{\"x\":\"y\"}"], ["\"b\"", "2", "[1]", "[2,1]", "{\"x\":\"z\"}", "{}", "true", "\"aa\""] },
        { "const", """{"const":"a/b"}""", ["\"a/b\"", "\"a\\/b\""], ["\"a\"", "\"a/b/\""] },
        { "const", """{"const":-0.50}""", ["-0.5", "-0.50"], ["0.5", "-0.51", "-5"] },
        { "properties", """{"type":"object","properties":{"a":{"type":"integer"},"ab":{"type":"string"}}}""", ["{}", "{\"a\":1}", "{\"ab\":\"\",\"a\":2}", "{\"abc\":null}", "{\"\":0}"], ["{\"a\":\"x\"}", "{\"ab\":1}", "{\"a\":1,\"a\":2}", "[]"] },
        { "properties", """{"properties":{"a":false}}""", ["{}", "{\"aa\":1}", "5"], ["{\"a\":1}"] },
        { "required", """{"type":"object","required":["b","a"]}""", ["{\"a\":1,\"b\":2}", "{\"b\":1,\"c\":0,\"a\":2}"], ["{}", "{\"a\":1}", "{\"b\":1}"] },
        { "additionalProperties", """{"type":"object","properties":{"a":{}},"additionalProperties":false}""", ["{}", "{\"a\":[]}"], ["{\"b\":1}", "{\"aa\":1}", "{\"\":1}"] },
        { "additionalProperties", """{"type":"object","properties":{"a":{}},"additionalProperties":{"type":"null"}}""", ["{\"a\":1,\"b\":null}"], ["{\"b\":1}"] },
        { "patternProperties", """{"type":"object","patternProperties":{"^x":{"type":"integer"},"y$":{"minimum":5}},"additionalProperties":false}""", ["{\"x\":1}", "{\"xy\":5}", "{\"y\":\"s\"}"], ["{\"xy\":4}", "{\"x\":\"s\"}", "{\"a\":1}", "{\"xy\":\"s\"}"] },
        { "propertyNames", """{"type":"object","propertyNames":{"maxLength":2}}""", ["{\"ab\":1}", "{\"é\":1}"], ["{\"abc\":1}"] },
        { "minProperties", """{"type":"object","minProperties":2}""", ["{\"a\":1,\"b\":1}"], ["{}", "{\"a\":1}"] },
        { "maxProperties", """{"type":"object","maxProperties":1,"required":["a"]}""", ["{\"a\":1}"], ["{}", "{\"b\":1}", "{\"a\":1,\"b\":1}"] },
        { "dependentRequired", """{"type":"object","dependentRequired":{"a":["b"]}}""", ["{}", "{\"b\":1}", "{\"a\":1,\"b\":1}", "{\"b\":1,\"a\":1}"], ["{\"a\":1}"] },
        { "dependencies", """{"type":"object","dependencies":{"a":["b"],"c":{"required":["d"]}}}""", ["{}", "{\"a\":1,\"b\":1}", "{\"c\":1,\"d\":1}"], ["{\"a\":1}", "{\"c\":1}"] },
        { "dependentSchemas", """{"type":"object","dependentSchemas":{"a":{"properties":{"b":{"type":"null"}}}}}""", ["{\"a\":1,\"b\":null}", "{\"b\":1}"], ["{\"a\":1,\"b\":1}"] },
        { "items", """{"type":"array","items":{"type":"integer"}}""", ["[]", "[1,2]"], ["[1,\"a\"]"] },
        { "items", """{"type":"array","items":[{"type":"integer"}],"additionalItems":{"type":"string"}}""", ["[]", "[1]", "[1,\"a\"]"], ["[\"a\"]", "[1,2]"] },
        { "prefixItems", """{"type":"array","prefixItems":[{"type":"integer"},{"type":"null"}],"items":false}""", ["[]", "[1]", "[1,null]"], ["[null]", "[1,null,2]"] },
        { "minItems", """{"type":"array","minItems":2}""", ["[1,2]", "[1,2,3]"], ["[]", "[1]"] },
        { "maxItems", """{"type":"array","maxItems":1}""", ["[]", "[1]"], ["[1,2]"] },
        { "uniqueItems", """{"type":"array","uniqueItems":true,"maxItems":1}""", ["[]", "[1]"], ["[1,1]"] },
        { "minLength", """{"type":"string","minLength":2}""", ["\"ab\"", "\"éé\"", "\"\\u0061b\""], ["\"\"", "\"é\"", "\"\\ud83d\\ude00\""] },
        { "maxLength", """{"type":"string","maxLength":2}""", ["\"\"", "\"日本\"", "\"\\ud83d\\ude00a\""], ["\"abc\"", "\"日本a\""] },
        { "pattern", """{"type":"string","pattern":"b+"}""", ["\"b\"", "\"abc\""], ["\"\"", "\"ac\""] },
        { "pattern", """{"type":"string","pattern":"^a|b$"}""", ["\"a\"", "\"ax\"", "\"xb\""], ["\"xa\"", "\"bx\""] },
        { "format", """{"type":"string","format":"date"}""", ["\"2024-02-29\"", "\"2023-12-31\"", "\"2000-02-29\""], ["\"2023-02-29\"", "\"1900-02-29\"", "\"2023-13-01\"", "\"x\""] },
        { "format", """{"format":"date-time"}""", ["\"2024-01-01T23:59:59Z\"", "1"], ["\"2024-01-01\"", "\"2024-01-01T24:00:00Z\"", "\"2016-12-31T23:59:60Z\""] },
        { "format", """{"format":"ipv4"}""", ["\"255.0.10.1\""], ["\"256.0.0.1\"", "\"1.2.3\"", "\"01.2.3.4\""] },
        { "format", """{"format":"ipv6"}""", ["\"::1\"", "\"2001:db8::ff00:42:8329\"", "\"::ffff:1.2.3.4\""], ["\"1::2::3\"", "\"12345::\"", "\":\""] },
        { "format", """{"format":"uuid"}""", ["\"123e4567-e89b-12d3-a456-426614174000\""], ["\"123e4567\""] },
        { "format", """{"format":"email"}""", ["\"a.b@c.de\""], ["\"a@\"", "\"@b\"", "\"a b@c\"", "\"\\\"a b\\\"@x.y\"", "\"a@[1.2.3.4]\""] },
        { "format", """{"format":"uri"}""", ["\"https://a.b/c?d=e#f\"", "\"mailto:a@b\""], ["\"a b\"", "\"/relative\"", "\"\""] },
        { "minimum", """{"type":"integer","minimum":-3}""", ["-3", "0", "100"], ["-4", "-10"] },
        { "minimum", """{"type":"number","minimum":0.25}""", ["0.25", "0.3", "1", "10.0"], ["0.24", "0.2", "0", "-1", "-0.3"] },
        { "maximum", """{"type":"integer","maximum":120}""", ["120", "99", "-1000", "-0"], ["121", "200", "1000"] },
        { "exclusiveMinimum", """{"type":"number","exclusiveMinimum":0}""", ["0.001", "5"], ["0", "-0", "0.0", "-1"] },
        { "exclusiveMinimum", """{"type":"number","minimum":0,"exclusiveMinimum":true}""", ["1"], ["0"] },
        { "exclusiveMaximum", """{"type":"number","exclusiveMaximum":-1.5}""", ["-1.51", "-2"], ["-1.5", "-1", "0", "2"] },
        { "multipleOf", """{"type":"integer","multipleOf":7}""", ["0", "7", "-21"], ["1", "8", "7.0"] },
        { "multipleOf", """{"type":"number","multipleOf":0.25}""", ["0.25", "1", "1.5", "2.750"], ["0.1", "1.251"] },
        { "allOf", """{"allOf":[{"type":"integer"},{"minimum":5},{"maximum":7}]}""", ["5", "7"], ["4", "8"] },
        { "anyOf", """{"anyOf":[{"type":"integer"},{"type":"string","maxLength":1}]}""", ["1", "\"a\""], ["\"ab\"", "null"] },
        { "oneOf", """{"oneOf":[{"type":"integer"},{"type":"string"}]}""", ["1", "\"a\""], ["null"] },
        { "oneOf", """{"type":"object","oneOf":[{"required":["a"]},{"required":["b"]}]}""", ["{\"a\":1}", "{\"b\":1}", "{\"b\":1,\"c\":1}"], ["{}", "{\"a\":1,\"b\":1}"] },
        { "oneOf", """{"type":"integer","oneOf":[{"maximum":7},{"minimum":5}]}""", ["4", "8"], ["5", "6", "7"] },
        { "not", """{"type":"object","not":{"required":["a"]}}""", ["{}", "{\"b\":1}"], ["{\"a\":1}"] },
        { "not", """{"not":{"enum":["a",1]}}""", ["\"b\"", "2", "null"], ["\"a\"", "1", "1.0"] },
        { "not", """{"type":"string","not":{"pattern":"x"}}""", ["\"a\""], ["\"axb\""] },
        { "if", """{"type":"object","if":{"properties":{"k":{"const":"a"}},"required":["k"]},"then":{"required":["x"]},"else":{"required":["y"]}}""", ["{\"k\":\"a\",\"x\":1}", "{\"k\":\"b\",\"y\":1}", "{\"y\":1}"], ["{\"k\":\"a\",\"y\":1}", "{\"k\":\"b\"}", "{}"] },
        { "$ref", """{"$ref":"#/$defs/n","$defs":{"n":{"type":"array","items":{"$ref":"#/$defs/n"}}}}""", ["[]", "[[],[[]]]"], ["[1]", "{}"] },
        { "$ref", """{"$schema":"http://json-schema.org/draft-07/schema#","$ref":"#/definitions/s","maxLength":1,"definitions":{"s":{"type":"string"}}}""", ["\"a\""], ["\"ab\"", "1"] },
        { "$anchor", """{"$ref":"#here","definitions":{"x":{"$anchor":"here","type":"null"}}}""", ["null"], ["1"] },
    };

    [Theory]
    [MemberData(nameof(Keywords))]
    public void EveryKeywordAcceptsAndRejects(string keyword, string schema, string[] accepted, string[] rejected)
    {
        JsonSchemaConstraint constraint = ConstraintChecks.JsonSchema(schema);
        Assert.All(accepted, text => Assert.True(ConstraintChecks.Accepts(constraint, text), $"{keyword}: {text} should be accepted"));
        Assert.All(rejected, text => Assert.False(ConstraintChecks.Accepts(constraint, text), $"{keyword}: {text} should be rejected"));
    }

    [Theory]
    [InlineData("""{"contains":{}}""", "contains")]
    [InlineData("""{"properties":{"a":{"unevaluatedProperties":false}}}""", "unevaluatedProperties")]
    [InlineData("""{"unevaluatedItems":false}""", "unevaluatedItems")]
    [InlineData("""{"$dynamicRef":"#a"}""", "$dynamicRef")]
    [InlineData("""{"$recursiveRef":"#"}""", "$recursiveRef")]
    [InlineData("""{"type":"array","uniqueItems":true}""", "uniqueItems")]
    [InlineData("""{"nullable":true}""", "nullable")]
    [InlineData("""{"$ref":"#/$defs/a","nullable":true,"$defs":{"a":{"type":"string"}}}""", "nullable")]
    [InlineData("""{"type":"string","nullable":1}""", "nullable")]
    [InlineData("""{"type":"string","not":{"nullable":true}}""", "nullable")]
    [InlineData("""{"type":"string","format":"idn-email"}""", "idn-email")]
    [InlineData("""{"type":"string","pattern":"(?=a)"}""", "look-around")]
    [InlineData("""{"type":"string","pattern":"(a)\\1"}""", "back-references")]
    [InlineData("""{"$ref":"https://example.org/x"}""", "$ref")]
    [InlineData("""{"$ref":"#/nowhere"}""", "$ref")]
    [InlineData("""{"oneOf":[{"type":"array","items":{"type":"integer"}},{"type":"array","items":{"type":"null"}}]}""", "oneOf")]
    [InlineData("""{"not":{"type":"integer"}}""", "not")]
    [InlineData("""{"type":"text"}""", "type")]
    [InlineData("""{"type":"string","not":{"type":"text"}}""", "type")]
    [InlineData("""{"type":"string","not":{"type":[null]}}""", "type")]
    [InlineData("""{"type":"string","not":{"pattern":null}}""", "pattern")]
    [InlineData("""{"if":{"required":[null]},"then":{"type":"string"}}""", "required")]
    [InlineData("""{"minLength":-1,"type":"string"}""", "minLength")]
    [InlineData("""{"type":"string","maxLength":1,"minLength":2}""", "fulfils")]
    [InlineData("""{"required":"a"}""", "required")]
    [InlineData("""{"$ref":"#","type":"object","required":["a"],"properties":{"a":{"$ref":"#"}}}""", "fulfils")]
    [InlineData("""{"type":"object","type":"string"}""", "schema")]
    [InlineData("""{"a":""", "schema")]
    [InlineData("5", "schema")]
    public void WhatIsNotEnforcedIsRefusedByName(string schema, string name) =>
        Assert.Contains(name, Assert.Throws<PunaException>(() => ConstraintChecks.JsonSchema(schema)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"type":"object","properties":{"abc":{"type":"string","maxLength":3},"ab":{"anyOf":[{"type":"integer","minimum":3},{"pattern":"^a*$"}]}},"required":["ab"]}""")]
    [InlineData("""{"type":"array","items":{"type":"string","pattern":"^[a-z]{1,4}é?$"},"minItems":1}""")]
    [InlineData("""{"type":"object","additionalProperties":{"type":"number"},"propertyNames":{"pattern":"^a"}}""")]
    public void AMaskHoldsExactlyTheTokensWhoseBytesMayFollow(string schema)
    {
        JsonSchemaConstraint constraint = ConstraintChecks.JsonSchema(schema);
        var random = new Random(7);
        uint[] mask = new uint[ConstraintChecks.Vocabulary.Words];
        for (int run = 0; run < 10; run++)
        {
            ConstraintState state = constraint.Start();
            for (int step = 0; step < 25; step++)
            {
                state.FillMask(mask);
                var allowed = new List<int>();
                for (int token = 0; token < ConstraintChecks.Vocabulary.VocabularySize; token++)
                {
                    // The oracle walks single bytes, whatever tokens and slices there are.
                    ConstraintState probe = state.Clone();
                    bool viable = token == ConstraintChecks.End ? state.IsAccepting : true;
                    foreach (byte b in ConstraintChecks.Vocabulary.TokenBytes(token))
                    {
                        viable = viable && probe.TryAccept(b);
                    }

                    Assert.Equal(viable, ConstraintChecks.Allowed(mask, token));
                    if (viable && token != ConstraintChecks.End)
                    {
                        allowed.Add(token);
                    }
                }

                Assert.True(allowed.Count > 0 || state.IsAccepting);
                if (allowed.Count == 0)
                {
                    Assert.True(state.IsFinished);
                    break;
                }

                Assert.True(state.TryAccept(allowed[random.Next(allowed.Count)]));
            }
        }
    }

    [Fact]
    public void EndTokensEndAndNothingFollows()
    {
        ConstraintState state = ConstraintChecks.JsonSchema("""{"type":"null"}""").Start();
        Assert.False(state.TryAccept(ConstraintChecks.End));
        Assert.All("null", c => Assert.True(state.TryAccept(c)));
        Assert.True(state.IsFinished);
        Assert.True(state.TryAccept(ConstraintChecks.End));
        Assert.False(state.TryAccept('n'));
    }

    [Fact]
    public void HostileSchemasEndInAMessage()
    {
        string deep = string.Concat(Enumerable.Repeat("{\"items\":", 100_000)) + "true" + new string('}', 100_000);
        Assert.Throws<PunaException>(() => ConstraintChecks.JsonSchema(deep));
        string wide = $$"""{"allOf":[{{string.Join(',', Enumerable.Range(0, 20).Select(i => $$"""{"anyOf":[{"required":["a{{i}}"]},{"required":["b{{i}}"]}]}"""))}}]}""";
        Assert.Throws<PunaException>(() => ConstraintChecks.JsonSchema(wide));
        Assert.Throws<PunaException>(() => ConstraintChecks.JsonSchema("""{"type":"string","pattern":"(((a{1000}){1000}){1000})"}"""));
        Assert.Throws<PunaException>(() => ConstraintChecks.JsonSchema("""{"type":"string","pattern":"(a|b)*a(a|b){30}"}"""));
    }

    [Fact]
    public void InstancesOfPublicSchemasAreJudgedAsTheyShouldBe()
    {
        string folder = TestFiles.Asset("maskbench");
        Assert.SkipUnless(Directory.Exists(folder), "assets/maskbench is absent");
        int compiled = 0;
        int files = 0;
        foreach (string file in Directory.GetFiles(folder, "*.json").Order(StringComparer.Ordinal).Where((_, i) => i % 6 == 0))
        {
            using JsonDocument document = JsonDocument.Parse(File.ReadAllText(file));
            files++;
            JsonSchemaConstraint constraint;
            try
            {
                constraint = ConstraintChecks.JsonSchema(document.RootElement.GetProperty("schema").GetRawText());
            }
            catch (PunaException)
            {
                continue;
            }

            compiled++;
            foreach (JsonElement test in document.RootElement.GetProperty("tests").EnumerateArray())
            {
                string text = JsonSerializer.Serialize(test.GetProperty("data"));
                Assert.True(ConstraintChecks.Accepts(constraint, text) == test.GetProperty("valid").GetBoolean(), $"{Path.GetFileName(file)}: {text}");
            }
        }

        // All of the public schemas: 283 of 296 compile.
        Assert.True(compiled >= 0.9 * files, $"{compiled} of {files}");
    }
}
