using System.Globalization;
using Puna.Runtime.Sampling;
using Puna.Tensors;

namespace Puna.Training.Data;

/// <summary>
/// Several streams as one, in given shares of the tokens (spec training.md 2.4). Shares are kept, not hoped for: a source is drawn with a probability proportional to the tokens that it is behind its share
/// when <see cref="Lookahead"/> more tokens are dealt out, so that shares are off by the length of a few documents at most, however long the documents of a source are. The draw is a
/// function of the seed and the number of the draw.
/// </summary>
public sealed class MixtureStream : ITokenStream
{
    /// <summary>Tokens dealt out in advance at each draw. More makes the order more random and the shares less exact.</summary>
    private const int Lookahead = 1024;

    private readonly MixtureSource[] _sources;
    private readonly MixturePhase[] _phases;
    private readonly ulong _seed;
    private readonly string _source;
    private readonly long[] _given;
    private readonly double[] _shares;
    private readonly double[] _behind;
    private long _draws;
    private long _total;
    private int _phase;

    /// <summary>Creates a mixture of constant weights.</summary>
    /// <param name="sources">What is mixed.</param>
    /// <param name="weights">Per source its share of the tokens, up to a common factor.</param>
    /// <param name="seed">Decides the order.</param>
    /// <exception cref="PunaException">The weights are no shares.</exception>
    public MixtureStream(IReadOnlyList<MixtureSource> sources, IReadOnlyList<double> weights, ulong seed)
        : this(sources, [new MixturePhase(0, weights)], seed)
    {
    }

    /// <summary>Creates a mixture whose weights change.</summary>
    /// <param name="sources">What is mixed.</param>
    /// <param name="phases">Weights, ascending by <see cref="MixturePhase.FromTokens"/>, the first from token 0 on.</param>
    /// <param name="seed">Decides the order.</param>
    /// <exception cref="PunaException">The phases are not in order, or weights are no shares.</exception>
    public MixtureStream(IReadOnlyList<MixtureSource> sources, IReadOnlyList<MixturePhase> phases, ulong seed)
    {
        ArgumentNullException.ThrowIfNull(sources);
        ArgumentNullException.ThrowIfNull(phases);
        _sources = [.. sources];
        _phases = [.. phases];
        Check(_sources, _phases);
        _seed = seed;
        _source = Identity(_sources, _phases, seed);
        _given = new long[_sources.Length];
        _shares = new double[_sources.Length];
        _behind = new double[_sources.Length];
        EnterPhase(0);
    }

    /// <summary>Tokens given so far.</summary>
    public long Tokens => _total;

    /// <summary>Index of the source that the last document came from; -1 before the first.</summary>
    public int LastSource { get; private set; } = -1;

    /// <inheritdoc/>
    public StreamState State
    {
        get
        {
            // The sources, what each gave in this phase, and what was given before this phase.
            var parts = new StreamState[(2 * _sources.Length) + 1];
            long before = _total;
            for (int i = 0; i < _sources.Length; i++)
            {
                parts[i] = _sources[i].Stream.State;
                parts[_sources.Length + i] = StreamState.Plain("tokens in this phase", _given[i]);
                before -= _given[i];
            }

            parts[^1] = StreamState.Plain("tokens before this phase", before);
            return new StreamState(_source, _draws, parts, [], []);
        }

        set
        {
            ArgumentNullException.ThrowIfNull(value);
            int expected = (2 * _sources.Length) + 1;
            if (value.Source != _source || value.Parts.Count != expected || value.Position < 0)
            {
                throw new PunaException($"state of the mixture: expected one of '{_source}' with {expected} parts, got '{value.Source}' with {value.Parts.Count}");
            }

            long before = value.Parts[^1].Position;
            for (int i = 0; i < _sources.Length; i++)
            {
                _sources[i].Stream.State = value.Parts[i];
            }

            EnterPhase(PhaseAt(before));
            _total = before;
            for (int i = 0; i < _sources.Length; i++)
            {
                _given[i] = value.Parts[_sources.Length + i].Position;
                _total += _given[i];
            }

            _draws = value.Position;
            LastSource = -1;
        }
    }

    /// <inheritdoc/>
    public void Next(TokenDocument document)
    {
        ArgumentNullException.ThrowIfNull(document);
        int phase = PhaseAt(_total);
        if (phase != _phase)
        {
            EnterPhase(phase);
        }

        int source = Draw();
        _sources[source].Stream.Next(document);
        _draws++;
        _given[source] += document.Tokens.Count;
        _total += document.Tokens.Count;
        LastSource = source;
    }

    private int Draw()
    {
        long phaseTokens = Lookahead;
        foreach (long given in _given)
        {
            phaseTokens += given;
        }

        // What the sources are behind adds up to the lookahead, so at least one is behind.
        double sum = 0;
        int last = 0;
        for (int i = 0; i < _behind.Length; i++)
        {
            _behind[i] = Math.Max(0, (_shares[i] * phaseTokens) - _given[i]);
            sum += _behind[i];
            last = _behind[i] > 0 ? i : last;
        }

        double left = (Philox.Block(_seed, (ulong)_draws, 0).Low >> 11) * (1.0 / (1UL << 53)) * sum;
        for (int i = 0; i < last; i++)
        {
            left -= _behind[i];
            if (left < 0)
            {
                return i;
            }
        }

        return last;
    }

    private int PhaseAt(long tokens)
    {
        int phase = 0;
        while (phase + 1 < _phases.Length && _phases[phase + 1].FromTokens <= tokens)
        {
            phase++;
        }

        return phase;
    }

    private void EnterPhase(int phase)
    {
        _phase = phase;
        double sum = 0;
        foreach (double weight in _phases[phase].Weights)
        {
            sum += weight;
        }

        for (int i = 0; i < _shares.Length; i++)
        {
            _shares[i] = _phases[phase].Weights[i] / sum;
            _given[i] = 0;
        }
    }

    private static void Check(MixtureSource[] sources, MixturePhase[] phases)
    {
        if (sources.Length == 0 || phases.Length == 0 || phases[0].FromTokens != 0)
        {
            throw new PunaException($"mixture: expected sources and weights from token 0 on, got {sources.Length} sources and {phases.Length} phases");
        }

        for (int p = 0; p < phases.Length; p++)
        {
            if (p > 0 && phases[p].FromTokens <= phases[p - 1].FromTokens)
            {
                throw new PunaException($"mixture: expected phases by rising tokens, got {phases[p].FromTokens} after {phases[p - 1].FromTokens}");
            }

            if (phases[p].Weights.Count != sources.Length)
            {
                throw new PunaException($"mixture from token {phases[p].FromTokens}: expected {sources.Length} weights, got {phases[p].Weights.Count}");
            }

            double sum = 0;
            for (int i = 0; i < sources.Length; i++)
            {
                double weight = phases[p].Weights[i];
                sum += double.IsFinite(weight) && weight >= 0
                    ? weight
                    : throw new PunaException($"mixture weight of {sources[i].Name}: expected a number of at least 0, got {weight.ToString(CultureInfo.InvariantCulture)}");
            }

            if (sum <= 0 || !double.IsFinite(sum))
            {
                throw new PunaException($"mixture from token {phases[p].FromTokens}: expected a weight above 0, got none");
            }
        }
    }

    private static string Identity(MixtureSource[] sources, MixturePhase[] phases, ulong seed)
    {
        var text = new System.Text.StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"mixture seed {seed}");
        foreach (MixturePhase phase in phases)
        {
            text.Append(CultureInfo.InvariantCulture, $"; from {phase.FromTokens}:");
            for (int i = 0; i < sources.Length; i++)
            {
                text.Append(CultureInfo.InvariantCulture, $" {sources[i].Name} {phase.Weights[i]:R}");
            }
        }

        return text.ToString();
    }
}
