using System.Numerics;
using Puna.Runtime.Sampling;

namespace Puna.Training.Data;

/// <summary>
/// A random order of 0 to n-1 of which any place can be asked for without the others: a Feistel network of <see cref="Rounds"/> rounds over the next power of four, walked until it lands below n (Black and
/// Rogaway: Ciphers with Arbitrary Finite Domains, CT-RSA 2002). Nothing is stored; on average fewer than four steps are walked.
/// </summary>
public readonly struct Permutation
{
    private const int Rounds = 6;

    // Keeps these numbers apart from what else is drawn with the same seed.
    private const ulong Purpose = 0x5045_524D_0000_0000;

    private readonly long _count;
    private readonly ulong _seed;
    private readonly ulong _epoch;
    private readonly int _halfBits;

    /// <summary>Creates the order of an epoch.</summary>
    /// <param name="count">n, at least 1.</param>
    /// <param name="seed">Decides the orders of all epochs.</param>
    /// <param name="epoch">Which of them.</param>
    public Permutation(long count, ulong seed, long epoch)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        _count = count;
        _seed = seed;
        _epoch = (ulong)epoch;
        _halfBits = (BitOperations.Log2((ulong)Math.Max(1, count - 1)) / 2) + 1;
    }

    /// <summary>What is at this place.</summary>
    /// <param name="place">0 to n-1.</param>
    public long this[long place]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((ulong)place, (ulong)_count, nameof(place));
            ulong value = (ulong)place;
            do
            {
                value = Encrypt(value);
            }
            while (value >= (ulong)_count);

            return (long)value;
        }
    }

    private ulong Encrypt(ulong value)
    {
        ulong mask = (1UL << _halfBits) - 1;
        ulong left = value >> _halfBits, right = value & mask;
        for (ulong round = 0; round < Rounds; round++)
        {
            (left, right) = (right, left ^ (Philox.Block(_seed, right | (round << 32), _epoch ^ Purpose).Low & mask));
        }

        return (left << _halfBits) | right;
    }
}
