using System.Text;
using Puna.Runtime.Constraints;
using Puna.Runtime.Constraints.Machines;
using Puna.Tensors;

namespace Puna.Runtime.Tests.Constraints;

/// <summary>What masks may cost, in steps, and what a constraint may keep, in bytes.</summary>
public sealed class ConstraintStepsTests
{
    private const string Ordinary = """{"type":"object","properties":{"abc":{"type":"string","maxLength":9},"ab":{"anyOf":[{"type":"integer"},{"type":"string","pattern":"^a*$"}]}}}""";

    private static readonly uint[] Mask = new uint[ConstraintChecks.Vocabulary.Words];

    /// <summary>A string of any of so many patterns, each of which reads every text in its own way.</summary>
    public static string Hostile(int patterns) =>
        $$"""{"anyOf":[{{string.Join(',', Enumerable.Range(0, patterns).Select(static i => $$"""{"type":"string","pattern":"^([^a{{(char)(0x4E00 + i)}}]*[a{{(char)(0x4E00 + i)}}]){0,3}[^a{{(char)(0x4E00 + i)}}]*$"}"""))}}]}""";

    [Fact]
    public void AMaskOfTooManyStepsIsRefusedAndCostsNoMoreThanItMay()
    {
        // 100 alternatives of a value, 4 of which are a step, before any byte: about 256 x 26 steps. After the quote, 100 readings before any byte: more than the limit.
        const int Most = 10_000;
        JsonSchemaConstraint constraint = Schema(Hostile(100), ConstraintLimits.Default with { MaxMaskSteps = Most });
        ConstraintState state = constraint.Start();
        state.FillMask(Mask);
        Assert.True(state.TryAccept('"'));
        long kept = ((IMeasuredConstraint)constraint).MetBytes;
        PunaException refused = Assert.Throws<PunaException>(() => state.FillMask(Mask));
        Assert.Equal($"constraint: expected masks of at most {Most} steps each, got one of more: it has too many ways to go on (constraint)", refused.Message);

        // It met no more readings than it may take steps, and is refused again, as the first time.
        Assert.InRange(((IMeasuredConstraint)constraint).MetBytes - kept, 1, Most * 500L);
        Assert.Equal(refused.Message, Assert.Throws<PunaException>(() => state.Clone().FillMask(Mask)).Message);

        // It is the limit that refuses it.
        Assert.True(ConstraintChecks.Accepts(Schema(Hostile(100), ConstraintLimits.Default), "\"abca\""));
    }

    [Fact]
    public void RulesThatAreEnteredBetweenTwoBytesAreSteps()
    {
        // Before the first byte there is one reading, which takes 256 steps to follow them all; behind a b, which is one of them, are the optional rules.
        static string Grammar(int rules) => $"root ::= \"b\" {string.Concat(Enumerable.Range(0, rules).Select(static i => $"r{i}? "))}\n{string.Concat(Enumerable.Range(0, rules).Select(static i => $"r{i} ::= \"a\"\n"))}";
        static ConstraintState Start(int rules) =>
            GrammarConstraint.Compile(Grammar(rules), ConstraintChecks.Vocabulary, ConstraintLimits.Default with { MaxMaskSteps = 300 }, TestContext.Current.CancellationToken).Start();

        Start(1).FillMask(Mask);
        Assert.Contains("steps", Assert.Throws<PunaException>(() => Start(100).FillMask(Mask)).Message, StringComparison.Ordinal);
        Assert.True(ConstraintChecks.Accepts(ConstraintChecks.Grammar(Grammar(100)), "baaa"));
    }

    [Fact]
    public void StepsDoNotDependOnWhatOtherTextsHaveMet()
    {
        const string Text = """{"abc":"a\"b é","ab":12}""";
        JsonSchemaConstraint constraint = Schema(Ordinary, ConstraintLimits.Default);
        (long Steps, string Mask)[] alone = [.. Walk(constraint.Start(), Text)];
        Assert.All(alone.Zip(alone.Skip(1)), static pair => Assert.True(pair.Second.Steps > pair.First.Steps));

        // Met before; beside another text that is some steps ahead; and where nothing is kept from one mask to the next.
        Assert.Equal(alone, Walk(constraint.Start(), Text));
        JsonSchemaConstraint shared = Schema(Ordinary, ConstraintLimits.Default);
        Assert.All(Walk(shared.Start(), """{"ab":"aaa","abc":"x"}"""), static step => Assert.NotEqual(0, step.Steps));
        Assert.Equal(alone, Walk(shared.Start(), Text));
        Assert.Equal(alone, Walk(Schema(Ordinary, ConstraintLimits.Default with { MaxBytes = 0 }).Start(), Text));
    }

    [Fact]
    public void AllMasksOfATextTogetherAreLimitedToo()
    {
        JsonSchemaConstraint constraint = Schema(Ordinary, ConstraintLimits.Default);
        (long Steps, string Mask)[] walk = [.. Walk(constraint.Start(), "{\"abc\":\"a\"}")];
        long sum = walk[^1].Steps;

        // With the mask after the last byte there are 12: as many steps as it takes are enough, one less is not.
        Assert.Equal(12, walk.Length);
        Assert.Equal(walk, Walk(Schema(Ordinary, ConstraintLimits.Default with { MaxTextSteps = sum - (12 * 7), MeanMaskSteps = 7 }).Start(), "{\"abc\":\"a\"}"));
        ConstraintLimits less = ConstraintLimits.Default with { MaxTextSteps = sum - (12 * 7) - 1, MeanMaskSteps = 7 };
        Assert.Contains("steps in the mean", Assert.Throws<PunaException>(() => Walk(Schema(Ordinary, less).Start(), "{\"abc\":\"a\"}").ToArray()).Message, StringComparison.Ordinal);

        // What was spent before a copy was made counts for the copy.
        ConstraintState original = constraint.Start();
        original.FillMask(Mask);
        Assert.Equal(walk[0].Steps, ((MachineState)original.Clone()).Steps);
    }

    [Fact]
    public void WhatIsKeptStaysWithinItsBytesWhileItIsUsed()
    {
        const int Long = 3000, Most = 100_000;
        string pattern = $"[a-c]{{0,{Long}}}d";
        RegexConstraint bounded = RegexConstraint.Compile(pattern, ConstraintChecks.Vocabulary, ConstraintLimits.Default with { MaxBytes = Most }, TestContext.Current.CancellationToken);
        IMeasuredConstraint free = ConstraintChecks.Regex(pattern);
        ConstraintState state = bounded.Start(), other = free.Start();
        uint[] expected = new uint[Mask.Length], got = new uint[Mask.Length];
        for (int i = 0; i < Long; i++)
        {
            state.FillMask(got);
            other.FillMask(expected);
            Assert.Equal(expected, got);
            Assert.True(state.TryAccept('a') && other.TryAccept('a'));
            Assert.InRange(((IMeasuredConstraint)bounded).MetBytes, 0, Most);
        }

        Assert.True(free.MetBytes > 5 * Most);
    }

    private static JsonSchemaConstraint Schema(string text, ConstraintLimits limits) =>
        JsonSchemaConstraint.Compile(text, ConstraintChecks.Vocabulary, limits, TestContext.Current.CancellationToken);

    /// <summary>After every mask of a text, the last one behind it: the steps so far, and the mask.</summary>
    private static IEnumerable<(long Steps, string Mask)> Walk(ConstraintState state, string text)
    {
        uint[] mask = new uint[ConstraintChecks.Vocabulary.Words];
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        for (int i = 0; i <= bytes.Length; i++)
        {
            state.FillMask(mask);
            yield return (((MachineState)state).Steps, string.Join(' ', mask));
            Assert.True(i == bytes.Length || state.TryAccept(bytes[i]));
        }
    }
}
