using Puna.Runtime.Constraints;
using Puna.Runtime.Generation;
using Puna.Tensors;
using Puna.Tests.Shared;

namespace Puna.Runtime.Tests.Constraints;

/// <summary>Texts that a schema allows and forbids, fed token by token; what a mask allows and what is accepted are the same.</summary>
public sealed class JsonSchemaConstraintTests : IDisposable
{
    private readonly LanguageModel _model = LanguageModel.Open(TestFiles.EmbeddedModel);
    private readonly VocabularyTrie _vocabulary;

    public JsonSchemaConstraintTests() => _vocabulary = VocabularyTrie.Create(_model.Tokenizer!);

    public void Dispose() => _model.Dispose();

    [Theory]
    [InlineData("""{"type":"object"}""", """{"a":[1,null,"x"]}""", "[1]")]
    [InlineData("""{"type":"string"}""", "\"llama\"", "1")]
    [InlineData("""{"type":["integer","null"]}""", "null", "1.5")]
    [InlineData("""{"enum":["red","blue"]}""", "\"blue\"", "\"green\"")]
    [InlineData("""{"const":{"a":1}}""", """{"a":1}""", """{"a":2}""")]
    [InlineData("""{"type":"object","properties":{"name":{"type":"string"},"age":{"type":"integer"}},"required":["name"],"additionalProperties":false}""", """{"name":"Rosa","age":7}""", """{"age":7}""")]
    [InlineData("""{"type":"object","properties":{"name":{"type":"string"}},"additionalProperties":false}""", "{}", """{"other":1}""")]
    [InlineData("""{"type":"object","additionalProperties":{"type":"boolean"}}""", """{"x":true}""", """{"x":"true"}""")]
    [InlineData("""{"type":"array","items":{"type":"integer"},"minItems":2,"maxItems":3}""", "[1,2]", "[1]")]
    [InlineData("""{"type":"array","items":{"type":"integer"},"maxItems":3}""", "[]", "[1,2,3,4]")]
    [InlineData("""{"type":"array","prefixItems":[{"type":"string"},{"type":"null"}],"items":false}""", """["a",null]""", """["a",1]""")]
    [InlineData("""{"type":"string","minLength":2,"maxLength":4}""", "\"abc\"", "\"a\"")]
    [InlineData("""{"type":"string","pattern":"^[a-c]+$"}""", "\"abca\"", "\"abd\"")]
    [InlineData("""{"type":"string","pattern":"b"}""", "\"abc\"", "\"ac\"")]
    [InlineData("""{"type":"string","format":"date"}""", "\"2026-11-26\"", "\"2026-13-26\"")]
    [InlineData("""{"type":"integer","minimum":3,"maximum":12}""", "12", "13")]
    [InlineData("""{"type":"integer","exclusiveMinimum":3}""", "4", "3")]
    [InlineData("""{"type":"number","minimum":0.5,"exclusiveMaximum":2}""", "1.99", "2")]
    [InlineData("""{"type":"integer","multipleOf":5}""", "35", "36")]
    [InlineData("""{"anyOf":[{"type":"string"},{"type":"integer","minimum":10}]}""", "10", "9")]
    [InlineData("""{"allOf":[{"type":"integer","minimum":3},{"maximum":5}]}""", "5", "6")]
    [InlineData("""{"oneOf":[{"type":"string"},{"type":"null"}]}""", "null", "0")]
    [InlineData("""{"$ref":"#/$defs/tree","$defs":{"tree":{"type":"object","properties":{"kids":{"type":"array","items":{"$ref":"#/$defs/tree"}}},"required":["kids"],"additionalProperties":false}}}""", """{"kids":[{"kids":[]}]}""", """{"kids":[{}]}""")]
    public void AllowsWhatFulfilsTheSchemaAndNothingElse(string schema, string good, string bad)
    {
        ITokenConstraint constraint = JsonSchemaConstraint.Compile(schema, _vocabulary, null, TestContext.Current.CancellationToken);
        Assert.True(Accepts(constraint, good));
        Assert.False(Accepts(constraint, bad));
    }

    [Theory]
    [InlineData("""{"type":"array","contains":{"type":"string"}}""", "contains")]
    [InlineData("""{"type":"object","unevaluatedProperties":false}""", "unevaluatedProperties")]
    [InlineData("""{"$ref":"https://example.org/schema"}""", "$ref")]
    [InlineData("""{"type":"string","pattern":"(?=a)b"}""", "look")]
    [InlineData("""{"type":"strange"}""", "type")]
    [InlineData("{", "schema")]
    public void WhatIsNotEnforcedIsRefusedByName(string schema, string name) =>
        Assert.Contains(name, Assert.Throws<PunaException>(() => JsonSchemaConstraint.Compile(schema, _vocabulary, null, TestContext.Current.CancellationToken)).Message, StringComparison.OrdinalIgnoreCase);

    [Theory]
    [InlineData("(?:ab)+c?", "ababc", "abb")]
    [InlineData(@"\d{2,3}", "123", "1")]
    [InlineData("[^x]*", "llama", "lxma")]
    public void ExpressionsAreMatchedWhole(string pattern, string good, string bad)
    {
        ITokenConstraint constraint = RegexConstraint.Compile(pattern, _vocabulary, null, TestContext.Current.CancellationToken);
        Assert.True(Accepts(constraint, good));
        Assert.False(Accepts(constraint, bad));
    }

    [Fact]
    public void TextsOfBytesAreJudgedAsTheyStandHoweverTheyAreCut()
    {
        ITokenConstraint constraint = JsonSchemaConstraint.Compile("""{"type":"object","properties":{"name":{"type":"string"}},"required":["name"],"additionalProperties":false}""", _vocabulary, null, TestContext.Current.CancellationToken);
        int[] whole = _model.Tokenizer!.Encode("""{"name":"Rosa"}""");
        int[] letters = [.. """{"name":"Rosa"}""".SelectMany(c => _model.Tokenizer!.Encode(c.ToString()))];
        Assert.NotEqual(whole.Length, letters.Length);
        Assert.True(Accepts(constraint, whole));
        Assert.True(Accepts(constraint, letters));
    }

    private bool Accepts(ITokenConstraint constraint, string text) => Accepts(constraint, _model.Tokenizer!.Encode(text));

    private bool Accepts(ITokenConstraint constraint, int[] tokens)
    {
        ConstraintState state = constraint.Start();
        var mask = new uint[_vocabulary.Words];
        foreach (int token in tokens)
        {
            state.FillMask(mask);
            bool isAllowed = (mask[token / 32] >> (token % 32) & 1) == 1;
            Assert.Equal(state.IsAccepting, (mask[_vocabulary.EndTokens[0] / 32] >> (_vocabulary.EndTokens[0] % 32) & 1) == 1);

            // A copy does not disturb, and the mask says what is taken.
            Assert.Equal(isAllowed, state.Clone().TryAccept(token));
            if (!state.TryAccept(token))
            {
                return false;
            }
        }

        return state.IsAccepting;
    }
}
