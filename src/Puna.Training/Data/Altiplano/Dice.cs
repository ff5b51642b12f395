using Puna.Runtime.Sampling;

namespace Puna.Training.Data.Altiplano;

/// <summary>
/// Chance without state of its own: the words of Philox under a key (the seed) and a stream (what is being drawn, and its index), one after the other. The same seed, stream and index
/// give the same throws on every platform and .NET version. Not for several threads.
/// </summary>
internal sealed class Dice(ulong seed, uint stream, long index)
{
    private readonly ulong _high = (ulong)index;
    private readonly ulong _low = (ulong)stream << 32;
    private uint _block;
    private (ulong Low, ulong High) _words;
    private int _left;

    /// <summary>A whole number from 0 to <paramref name="count"/> - 1. The bias of a multiplication in place of a division is below 2^-24 for the counts used here.</summary>
    public int Below(int count) => (int)(((ulong)Word() * (uint)count) >> 32);

    /// <summary>A whole number from <paramref name="least"/> to <paramref name="most"/>, both included.</summary>
    public int Between(int least, int most) => least + Below(most - least + 1);

    /// <summary>True in <paramref name="percent"/> of a hundred throws.</summary>
    public bool Chance(int percent) => Below(100) < percent;

    /// <summary>One of the values.</summary>
    public T Pick<T>(params ReadOnlySpan<T> values) => values[Below(values.Length)];

    /// <summary>Puts the values in random order.</summary>
    public void Shuffle<T>(Span<T> values)
    {
        for (int i = values.Length - 1; i > 0; i--)
        {
            int j = Below(i + 1);
            (values[i], values[j]) = (values[j], values[i]);
        }
    }

    private uint Word()
    {
        if (_left == 0)
        {
            _words = Philox.Block(seed, _low | _block++, _high);
            _left = 4;
        }

        _left--;
        return _left switch
        {
            3 => (uint)_words.Low,
            2 => (uint)(_words.Low >> 32),
            1 => (uint)_words.High,
            _ => (uint)(_words.High >> 32),
        };
    }
}
