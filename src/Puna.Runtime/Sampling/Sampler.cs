using System.Security.Cryptography;

namespace Puna.Runtime.Sampling;

/// <summary>
/// Chooses the next token of a sequence. The choice is a function of options, seed, choice index, logits and history only: one uniform number per
/// token, taken from <see cref="Philox"/> at the token's position, picks along the cumulative distribution of the tokens that stay, in ascending
/// order of their ids. Nothing is allocated per token. Not for use by two threads at once.
/// </summary>
/// <remarks>
/// Arithmetic is float64 with the maximum subtracted first. A constraint on the next token is put into the logits as -infinity before the call.
/// </remarks>
public sealed class Sampler
{
    // Any number will do, as long as it stays the same.
    private const ulong XtcStream = 0x9E3779B97F4A7C15;

    private readonly SamplerScratch _scratch;
    private readonly KeyValuePair<int, float>[] _bias;
    private readonly bool _adjusts;
    private readonly int _choice;

    /// <summary>Creates a sampler.</summary>
    /// <param name="options">Checked here.</param>
    /// <param name="vocabulary">Logits per row.</param>
    /// <param name="choice">Index of the choice where one prompt is continued several times with one seed.</param>
    /// <param name="scratch">Working memory to share with other samplers of the same vocabulary on this thread, or null for its own.</param>
    /// <exception cref="Tensors.PunaException">An option is out of range.</exception>
    public Sampler(SamplingOptions options, int vocabulary, int choice = 0, SamplerScratch? scratch = null)
    {
        options.Validate();
        ArgumentOutOfRangeException.ThrowIfNegative(choice);
        _scratch = scratch ?? new SamplerScratch(vocabulary);
        if (_scratch.Vocabulary != vocabulary)
            throw new ArgumentException($"scratch: expected room for {vocabulary} logits, got {_scratch.Vocabulary}", nameof(scratch));
        Options = options;
        Seed = options.Seed ?? BitConverter.ToInt64(RandomNumberGenerator.GetBytes(sizeof(long)));
        _bias = options.LogitBias is null ? [] : [.. options.LogitBias];
        _adjusts = LogitAdjustment.IsNeeded(options);
        _choice = choice;
    }

    /// <summary>The options given.</summary>
    public SamplingOptions Options { get; }

    /// <summary>The seed in use, chosen at random where none was given.</summary>
    public long Seed { get; }

    /// <summary>Chooses the next token.</summary>
    /// <param name="logits">[vocab] float32; -infinity bans a token.</param>
    /// <param name="history">All tokens of the sequence so far, prompt first. Its length is the position of the token to be drawn.</param>
    /// <param name="promptLength">How many tokens of the history are the prompt.</param>
    /// <returns>The id of the token.</returns>
    /// <exception cref="Tensors.PunaException">A logit is NaN or +infinity, or every token is banned.</exception>
    public int Sample(ReadOnlySpan<float> logits, ReadOnlySpan<int> history, int promptLength)
    {
        ReadOnlySpan<float> adjusted = Adjust(logits, history, promptLength);
        float max = LogitScan.Max(adjusted, history.Length);
        if (Options.Temperature == 0)
            return LogitScan.IndexOf(adjusted, max);
        int kept = Keep(adjusted, max, history.Length);
        return Draw(kept, Philox.Uniform((ulong)Seed, history.Length, _choice));
    }

    /// <summary>Chooses the next token and tells its log-probability.</summary>
    /// <param name="logits">As above.</param>
    /// <param name="history">As above.</param>
    /// <param name="promptLength">As above.</param>
    /// <param name="logProb">Natural logarithm of the token's probability under the logits as given: no bias, penalty, temperature or cut (spec llama1-3.md 7).</param>
    /// <returns>The id of the token.</returns>
    public int Sample(ReadOnlySpan<float> logits, ReadOnlySpan<int> history, int promptLength, out float logProb)
    {
        int token = Sample(logits, history, promptLength);
        logProb = TokenLogProbs.LogProbability(logits, token);
        return token;
    }

    /// <summary>
    /// The distribution that <see cref="Sample(ReadOnlySpan{float}, ReadOnlySpan{int}, int)"/> draws from: for verifying drafted tokens, and for tests.
    /// </summary>
    /// <param name="logits">As above.</param>
    /// <param name="history">As above.</param>
    /// <param name="promptLength">As above.</param>
    /// <param name="tokens">Receives the tokens that can be drawn, ascending; room for the whole vocabulary.</param>
    /// <param name="probabilities">Receives their probabilities, which sum to 1; as long.</param>
    /// <returns>How many tokens there are.</returns>
    public int Distribution(ReadOnlySpan<float> logits, ReadOnlySpan<int> history, int promptLength, Span<int> tokens, Span<double> probabilities)
    {
        ReadOnlySpan<float> adjusted = Adjust(logits, history, promptLength);
        float max = LogitScan.Max(adjusted, history.Length);
        if (Options.Temperature == 0)
        {
            tokens[0] = LogitScan.IndexOf(adjusted, max);
            probabilities[0] = 1;
            return 1;
        }

        int kept = Keep(adjusted, max, history.Length), count = 0;
        double total = Sum(_scratch.Weights.AsSpan(0, kept));
        for (int i = 0; i < kept; i++)
        {
            if (_scratch.Weights[i] > 0)
            {
                tokens[count] = _scratch.Tokens[i];
                probabilities[count++] = _scratch.Weights[i] / total;
            }
        }

        return count;
    }

    private ReadOnlySpan<float> Adjust(ReadOnlySpan<float> logits, ReadOnlySpan<int> history, int promptLength)
    {
        if (logits.Length != _scratch.Vocabulary)
            throw new ArgumentException($"logits: expected {_scratch.Vocabulary}, got {logits.Length}", nameof(logits));
        ArgumentOutOfRangeException.ThrowIfNegative(promptLength);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(promptLength, history.Length);
        if (!_adjusts)
            return logits;
        logits.CopyTo(_scratch.Logits);
        LogitAdjustment.Apply(Options, _bias, _scratch.Logits, history, promptLength, _scratch.Counts, _scratch.Matches);
        return _scratch.Logits;
    }

    // Leaves tokens (ascending) and weights of what stays in the scratch; some weights may be zero.
    private int Keep(ReadOnlySpan<float> logits, float max, int position)
    {
        Span<float> keptLogits = _scratch.Logits;
        int count = logits.Length;
        if (Options.TopK > 0 && Options.TopK < count)
        {
            count = RankedTokens.SelectTop(logits, Options.TopK, _scratch.Keys, _scratch.Mass);
            for (int i = 0; i < count; i++)
                _scratch.Tokens[i] = RankedTokens.Token(_scratch.Keys[i]);
            _scratch.Tokens.AsSpan(0, count).Sort();
            // In place where the logits are already in the scratch: ascending ids never overwrite one still to be read.
            for (int i = 0; i < count; i++)
                keptLogits[i] = logits[_scratch.Tokens[i]];
        }
        else
        {
            if (!_adjusts)
                logits.CopyTo(keptLogits);
            for (int i = 0; i < count; i++)
                _scratch.Tokens[i] = i;
        }

        Span<double> weights = _scratch.Weights.AsSpan(0, count);
        double total = PortableExp.Weights(keptLogits[..count], max, Options.Temperature, weights);
        if (Options.TypicalP < 1)
        {
            count = TypicalCut.Keep(_scratch, count, total, Options.TypicalP);
            weights = weights[..count];
            total = Sum(weights);
        }

        return Exclude(Cut(count, total), position);
    }

    /// <summary>Top-p and min-p.</summary>
    private int Cut(int count, double total)
    {
        Span<float> keptLogits = _scratch.Logits;
        Span<double> weights = _scratch.Weights.AsSpan(0, count);
        if (Options.TopP >= 1 && Options.MinP <= 0)
            return count;
        // The best weight is 1, unless the best token was not typical.
        double least = Options.MinP * (Options.TypicalP < 1 ? Largest(weights) : 1);
        ulong last = Options.TopP < 1 ? LastOfNucleus(keptLogits[..count], weights, total) : ulong.MaxValue;
        int kept = 0;
        for (int i = 0; i < count; i++)
        {
            if (weights[i] >= least && RankedTokens.Key(keptLogits[i], _scratch.Tokens[i]) <= last)
            {
                _scratch.Tokens[kept] = _scratch.Tokens[i];
                weights[kept++] = weights[i];
            }
        }

        return kept;
    }

    /// <summary>XTC: now and then the likeliest tokens go, less the least likely of them.</summary>
    private int Exclude(int count, int position)
    {
        // A number of its own, so that which token is drawn does not depend on whether any went.
        if (Options.XtcProbability <= 0 || Philox.Uniform((ulong)Seed ^ XtcStream, position, _choice) >= Options.XtcProbability)
            return count;
        Span<double> weights = _scratch.Weights.AsSpan(0, count);
        double least = Options.XtcThreshold * Sum(weights);
        int above = 0, spared = -1;
        for (int i = 0; i < count; i++)
        {
            if (weights[i] >= least && weights[i] > 0)
            {
                above++;
                spared = spared < 0 || weights[i] < weights[spared] ? i : spared;
            }
        }

        for (int i = 0; i < count && above > 1; i++)
            weights[i] = weights[i] >= least && i != spared ? 0 : weights[i];
        return count;
    }

    private ulong LastOfNucleus(ReadOnlySpan<float> logits, ReadOnlySpan<double> weights, double total)
    {
        // The tokens at or below this weight have together less than 1 - top_p, so none of them stays: only the others are ranked.
        double floor = (1 - Options.TopP) * total / logits.Length * (1 - 1e-9);
        int ranked = 0;
        for (int i = 0; i < weights.Length; i++)
        {
            if (weights[i] > floor)
            {
                _scratch.Keys[ranked] = RankedTokens.Key(logits[i], _scratch.Tokens[i]);
                _scratch.Mass[ranked++] = weights[i];
            }
        }

        int kept = RankedTokens.SelectPrefix(_scratch.Keys.AsSpan(0, ranked), _scratch.Mass.AsSpan(0, ranked), Options.TopP * total);
        ulong last = 0;
        foreach (ulong key in _scratch.Keys.AsSpan(0, kept))
            last = Math.Max(last, key);
        return last;
    }

    private int Draw(int count, double uniform)
    {
        ReadOnlySpan<double> weights = _scratch.Weights.AsSpan(0, count);
        double target = uniform * Sum(weights), below = 0;
        int chosen = 0;
        for (int i = 0; i < weights.Length; i++)
        {
            below += weights[i];
            if (weights[i] > 0)
                chosen = i; // should rounding leave the target at the very end, the last token that can be drawn is it
            if (below > target)
                break;
        }

        return _scratch.Tokens[chosen];
    }

    private static double Largest(ReadOnlySpan<double> weights)
    {
        double largest = 0;
        foreach (double weight in weights)
            largest = Math.Max(largest, weight);
        return largest;
    }

    private static double Sum(ReadOnlySpan<double> weights)
    {
        double sum = 0;
        foreach (double weight in weights)
            sum += weight;
        return sum;
    }
}
