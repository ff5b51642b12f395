using System.Text.Json;
using Puna.Tensors;
using Puna.Training.Data;

namespace Puna.Training.Tests.Data;

/// <summary>Shares are kept, weights change where they should, and the order follows from seed and state.</summary>
public class MixtureStreamTests
{
    // Very different lengths: if sources were drawn by weight alone, long documents would take more than their share.
    private static readonly int[] _meanLengths = [40, 800, 200, 1500];
    private static readonly double[] _weights = [0.5, 0.25, 0.17, 0.08];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(99)]
    public void SharesOfAMillionTokensAreWithinThreeTenthsOfAPoint(ulong seed)
    {
        MixtureStream mixture = New(seed);
        long[] tokens = new long[4];
        var document = new TokenDocument();
        while (mixture.Tokens < 1_000_000)
        {
            mixture.Next(document);
            tokens[document.Tokens[0] / 1_000_000] += document.Tokens.Count;
        }

        for (int i = 0; i < tokens.Length; i++)
        {
            Assert.InRange((tokens[i] / (double)mixture.Tokens) - _weights[i], -0.003, 0.003);
        }
    }

    [Fact]
    public void WeightsChangeAtTheFirstDocumentBehindTheMilestone()
    {
        MixtureStream mixture = New(5, new MixturePhase(0, [1, 1, 0, 0]), new MixturePhase(200_000, [0, 0, 3, 1]));
        long[] tokens = new long[4];
        var document = new TokenDocument();
        while (mixture.Tokens < 600_000)
        {
            long before = mixture.Tokens;
            mixture.Next(document);
            int source = document.Tokens[0] / 1_000_000;
            Assert.Equal(source, mixture.LastSource);
            Assert.Equal(before >= 200_000, source >= 2);
            tokens[source] += document.Tokens.Count;
        }

        Assert.InRange(tokens[0] / (double)(tokens[0] + tokens[1]), 0.49, 0.51);
        Assert.InRange(tokens[2] / (double)(tokens[2] + tokens[3]), 0.74, 0.76);
    }

    [Fact]
    public void AStateSavedAnywhereResumesToTheSameDocuments()
    {
        MixturePhase[] phases = [new(0, [1, 1, 1, 0]), new(30_000, [0, 1, 1, 1]), new(60_000, [5, 1, 1, 1])];
        MixtureStream one = New(7, phases);
        var a = new TokenDocument();
        var b = new TokenDocument();
        for (int step = 0; step < 1200; step++)
        {
            if (step % 97 == 0)
            {
                MixtureStream other = New(7, phases);
                other.State = JsonSerializer.Deserialize<StreamState>(JsonSerializer.Serialize(one.State))!;
                StreamState back = one.State;
                for (int i = 0; i < 150; i++)
                {
                    one.Next(a);
                    other.Next(b);
                    Assert.Equal(a.Tokens, b.Tokens);
                }

                Assert.Equal(JsonSerializer.Serialize(one.State), JsonSerializer.Serialize(other.State));
                one.State = back;
            }

            one.Next(a);
        }

        Assert.True(one.Tokens > 60_000);
    }

    [Fact]
    public void TheOrderIsOfTheSeed()
    {
        string Order(ulong seed)
        {
            MixtureStream mixture = New(seed);
            var document = new TokenDocument();
            return string.Concat(Enumerable.Range(0, 200).Select(_ =>
            {
                mixture.Next(document);
                return mixture.LastSource;
            }));
        }

        Assert.Equal(Order(1), Order(1));
        Assert.NotEqual(Order(1), Order(2));
    }

    [Fact]
    public void BadWeightsAndForeignStatesAreRefused()
    {
        MixtureSource[] sources = [new("a", new ListStream("a", [[1]])), new("b", new ListStream("b", [[2]]))];
        Assert.Throws<PunaException>(() => new MixtureStream(sources, [1.0], 1));
        Assert.Throws<PunaException>(() => new MixtureStream(sources, [0.0, 0.0], 1));
        Assert.Throws<PunaException>(() => new MixtureStream(sources, [1, double.NaN], 1));
        Assert.Throws<PunaException>(() => new MixtureStream(sources, [1.0, -1.0], 1));
        Assert.Throws<PunaException>(() => new MixtureStream(sources, [new MixturePhase(5, [1, 1])], 1));
        Assert.Throws<PunaException>(() => new MixtureStream(sources, [new MixturePhase(0, [1, 1]), new MixturePhase(0, [1, 1])], 1));
        Assert.Throws<PunaException>(() => new MixtureStream([], [new MixturePhase(0, [])], 1));
        StreamState other = new MixtureStream(sources, [1, 1], 2).State;
        Assert.Throws<PunaException>(() => new MixtureStream(sources, [1, 1], 1).State = other);
    }

    private static MixtureStream New(ulong seed, params MixturePhase[] phases)
    {
        MixtureSource[] sources = [.. _meanLengths.Select((mean, s) => new MixtureSource($"s{s}", new ListStream($"s{s}", Documents(s, mean))))];
        return phases.Length == 0 ? new MixtureStream(sources, _weights, seed) : new MixtureStream(sources, phases, seed);
    }

    private static int[][] Documents(int source, int mean) =>
        [.. ListStream.Numbered(200, random => random.Next(mean / 2, mean * 3 / 2), source).Select(d => d.Select(t => (source * 1_000_000) + t).ToArray())];
}
