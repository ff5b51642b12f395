using System.Runtime.InteropServices;

namespace Puna.Runtime.Sampling;

/// <summary>
/// DRY, "don't repeat yourself" (p-e-w, oobabooga/text-generation-webui#5677): a token that would make the end of the text repeat something longer than allowed is made less
/// likely, the more the longer the repetition: by multiplier times base to the power of the length beyond what is allowed.
/// </summary>
internal static class DryPenalty
{
    /// <summary>Changes the logits in place. Linear in the history.</summary>
    /// <param name="options">Valid options with a multiplier above zero.</param>
    /// <param name="logits">[vocab] float32.</param>
    /// <param name="history">Prompt and generated tokens.</param>
    /// <param name="longest">Zeros, as many as logits; zeros again afterwards.</param>
    /// <param name="matches">Working memory that grows.</param>
    public static void Apply(SamplingOptions options, Span<float> logits, ReadOnlySpan<int> history, Span<int> longest, List<int> matches)
    {
        ReadOnlySpan<int> text = history[^Math.Min(options.DryWindow ?? history.Length, history.Length)..];

        // What is repeated may not reach across a breaker, so neither need the text.
        int start = text.Length;
        while (start > 0 && options.DryBreakers?.Contains(text[start - 1]) != true)
        {
            start--;
        }

        int most = text.Length - start;
        if (most < options.DryAllowedLength)
        {
            return;
        }

        Span<int> ends = CommonEnds(text, most, matches);
        for (int i = 0; i < text.Length - 1; i++)
        {
            int next = text[i + 1];
            if (ends[i] >= options.DryAllowedLength && (uint)next < (uint)logits.Length)
            {
                longest[next] = Math.Max(longest[next], ends[i]);
            }
        }

        for (int i = 0; i < text.Length - 1; i++)
        {
            int next = text[i + 1];
            if ((uint)next < (uint)logits.Length && longest[next] > 0)
            {
                double penalty = options.DryMultiplier * Math.Pow(options.DryBase, longest[next] - options.DryAllowedLength);
                logits[next] = float.IsFinite(logits[next]) ? (float)Math.Max(logits[next] - penalty, float.MinValue) : logits[next];
                longest[next] = 0;
            }
        }
    }

    /// <summary>For each place, how many tokens up to and with it are also the end of the text, at most <paramref name="most"/>: the Z function of the text read backwards.</summary>
    private static Span<int> CommonEnds(ReadOnlySpan<int> text, int most, List<int> memory)
    {
        CollectionsMarshal.SetCount(memory, text.Length);
        Span<int> ends = CollectionsMarshal.AsSpan(memory);
        int last = text.Length - 1;
        ends[last] = most;
        int left = 0, right = 0; // of the match that reaches furthest, counted backwards
        for (int i = 1; i <= last; i++)
        {
            int z = i < right ? Math.Min(right - i, Backwards(ends, i - left)) : 0;
            while (i + z <= last && text[last - z] == text[last - i - z])
            {
                z++;
            }

            if (i + z > right)
            {
                (left, right) = (i, i + z);
            }

            ends[last - i] = z;
        }

        for (int i = 0; i <= last; i++)
        {
            ends[i] = Math.Min(ends[i], most);
        }

        return ends;

        static int Backwards(ReadOnlySpan<int> ends, int i) => ends[ends.Length - 1 - i];
    }
}
