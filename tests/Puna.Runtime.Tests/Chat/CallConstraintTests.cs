using System.Numerics;
using Puna.Runtime.Chat;
using Puna.Runtime.Constraints;
using Puna.Runtime.Generation;
using Puna.Tensors;
using Puna.Tests.Shared;
using Puna.Text;
using Puna.Text.Tools;

namespace Puna.Runtime.Tests.Chat;

/// <summary>Constraints that are made of others: either of several, and text or strict calls.</summary>
public sealed class CallConstraintTests : IDisposable
{
    private const string Call = "{\"name\": \"f\"}";
    private readonly LanguageModel _model = LanguageModel.Open(TestFiles.EmbeddedModel);

    private Tokenizer Tokenizer => _model.Tokenizer!;

    public void Dispose() => _model.Dispose();

    [Fact]
    public void OneOfSeveralIsEnough()
    {
        ITokenConstraint union = UnionConstraint.Of([new ForcedText(Tokenizer, "abc"), new ForcedText(Tokenizer, "a b")]);
        ConstraintState state = union.Start();
        ConstraintState other = state.Clone();
        Assert.True(Take(state, "abc"));
        Assert.True(state.IsAccepting && state.IsFinished);
        Assert.True(Take(other, "a b"));
        Assert.False(Take(union.Start(), "b"));
        // A token that none takes changes nothing.
        ConstraintState third = union.Start();
        Assert.False(Take(third, "x"));
        Assert.True(Take(third, "abc"));
    }

    [Fact]
    public void MasksOfSeveralAreTheirUnion()
    {
        var first = new ForcedText(Tokenizer, "abc");
        var second = new ForcedText(Tokenizer, "xyz");
        uint[] union = Mask(UnionConstraint.Of([first, second]).Start()), one = Mask(first.Start()), two = Mask(second.Start());
        Assert.Equal(one.Zip(two, static (a, b) => a | b), union);
    }

    [Fact]
    public void AStrictReplyIsTextOrCalls()
    {
        Assert.True(Take(Strict(true).Start(), "Hello, {\"name\"} is no call here"));
        ConstraintState state = Strict(true).Start();
        Assert.True(Take(state, Call));
        Assert.True(state.IsAccepting);
        Assert.False(state.IsFinished);
        Assert.False(Take(state.Clone(), "Hello"));
        Assert.True(Take(state, ";"));
        Assert.True(Take(state, Call));
        Assert.False(Take(Strict(true).Start(), "{\"nome\": 1}"));
        ConstraintState single = Strict(false).Start();
        Assert.True(Take(single, Call));
        Assert.True(single.IsFinished);
        Assert.False(Take(single, ";"));
    }

    [Theory]
    [InlineData(" ", true)]
    [InlineData("\n\t", true)]
    [InlineData("\f", false)]
    [InlineData("\v", false)]
    [InlineData("\u0085", false)]
    [InlineData("\u00a0", false)]
    [InlineData("\u2003", false)]
    [InlineData("\u2028", false)]
    [InlineData("\u3000", false)]
    public void WhatIsReadAsACallIsMasked(string space, bool isWhite)
    {
        // A call that breaks its schema: taken as text, it must be read as text.
        string reply = space + "{\"name\": \"f\", \"parameters\": {\"wrong\": 1}}";
        Assert.Equal(isWhite, ToolCallParser.Parse(reply, [new ToolSignature("f", [])], ToolFormats.Json).Any(static found => found is ToolEvent.CallStart));
        Assert.Equal(!isWhite, Take(Strict(true).Start(), reply));
    }

    [Fact]
    public void MasksSayWhatIsTaken()
    {
        // Every token, at every place of a reply: the mask allows it exactly where the state takes it, and ends where the state accepts.
        foreach (string before in (string[])["", " ", "Hi", "{", Call, Call + ";"])
        {
            foreach (bool isParallel in (bool[])[true, false])
            {
                ConstraintState state = Strict(isParallel).Start();
                if (!Take(state, before))
                    continue;
                uint[] mask = Mask(state);
                for (int id = 0; id < Tokenizer.VocabularySize; id++)
                {
                    bool isAllowed = (mask[id >> 5] >> (id & 31) & 1) != 0;
                    if (_model.StopIds.Contains(id))
                        Assert.Equal(state.IsAccepting, isAllowed);
                    else
                        Assert.Equal(state.Clone().TryAccept(id), isAllowed);
                }
            }
        }
    }

    [Fact]
    public void SchemasOfCallsKeepTheirReferences()
    {
        string schema = CallSchema.Of([("f", "{\"$defs\":{\"x\":{\"type\":\"string\"}},\"properties\":{\"a\":{\"$ref\":\"#/$defs/x\"},\"b\":{\"const\":{\"$ref\":\"#/no\"}},\"c\":{\"$ref\":\"#\"}}}"), ("g", null)], single: false);
        Assert.Contains("\"a\":{\"$ref\":\"#/$defs/tool0/$defs/x\"},\"b\":{\"const\":{\"$ref\":\"#/no\"}},\"c\":{\"$ref\":\"#/$defs/tool0\"}", schema, StringComparison.Ordinal);
        Assert.Contains("\"tool1\":{\"type\":\"object\"}", schema, StringComparison.Ordinal);
        Assert.Contains("{\"type\":\"array\",\"minItems\":1,\"items\":{\"anyOf\":[", schema, StringComparison.Ordinal);
        Assert.DoesNotContain("array", CallSchema.Of([("g", null)], single: true), StringComparison.Ordinal);
        Assert.StartsWith("tool f: parameters: expected a JSON schema, got no JSON", Assert.Throws<PunaException>(() => CallSchema.Of([("f", "{")], true)).Message, StringComparison.Ordinal);
    }

    private StrictCallConstraint Strict(bool isParallel) =>
        new(new ForcedText(Tokenizer, Call), new CallTokens(Tokenizer, _model.Llama.Config.Vocab, _model.StopIds), isParallel);

    private bool Take(ConstraintState state, string text)
    {
        foreach (int id in Tokenizer.Encode(text))
        {
            if (!state.TryAccept(id))
                return false;
        }

        return true;
    }

    private uint[] Mask(ConstraintState state)
    {
        var mask = new uint[(_model.Llama.Config.Vocab + 31) / 32];
        state.FillMask(mask);
        Assert.True(mask.Sum(static word => BitOperations.PopCount(word)) > 0);
        return mask;
    }
}
