using Puna.Training.Data;

namespace Puna.Training.Tests.Data;

/// <summary>The simplest stream there is: a list of documents, over and over.</summary>
internal sealed class ListStream(string name, IReadOnlyList<int[]> documents, Func<int, float>? weight = null) : ITokenStream
{
    private long _position;

    public StreamState State
    {
        get => StreamState.Plain(name, _position);
        set => _position = value.Source == name ? value.Position : throw new Tensors.PunaException($"state of {name}: got {value.Source}");
    }

    public void Next(TokenDocument document)
    {
        document.Clear();
        int[] tokens = documents[(int)(_position++ % documents.Count)];
        foreach (int token in tokens)
        {
            document.Add([token], weight?.Invoke(token) ?? 1);
        }

        document.TextBytes = 3L * tokens.Length + 1;
    }

    /// <summary>Documents of random lengths; token t of document d is 1000 d + t, so that a token tells where it comes from.</summary>
    public static int[][] Numbered(int count, Func<Random, int> length, int seed = 1)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(d => Enumerable.Range(d * 1000, length(random)).ToArray())];
    }

    /// <summary>Lengths of a log-normal distribution.</summary>
    public static Func<Random, int> LogNormal(double mean, double sigma) => random =>
    {
        double normal = Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
        return Math.Max(1, (int)Math.Round(mean * Math.Exp((sigma * normal) - (sigma * sigma / 2))));
    };
}
