using System.Runtime.InteropServices;

namespace Puna.Training.Data;

/// <summary>
/// MinHash of word 5-grams in 14 buckets of 8 hashes (spec training.md 2.3): two texts whose sets of 5-grams have the Jaccard similarity s agree in a bucket with probability s^8, so in at least one with
/// 1-(1-s^8)^14. Not for several threads at once.
/// </summary>
internal sealed class MinHasher
{
    public const int GramWords = 5;
    public const int Buckets = 14;
    public const int HashesPerBucket = 8;

    private const int Hashes = Buckets * HashesPerBucket;

    private static readonly ulong[] _keys = Keys();
    private readonly List<ulong> _words = [];
    private readonly ulong[] _least = new ulong[Hashes];

    /// <summary>Computes one hash per bucket. A text of fewer words than a gram is one gram; a text without words has none.</summary>
    /// <param name="text">The text.</param>
    /// <param name="buckets">Receives <see cref="Buckets"/> hashes; hashes of different buckets never mean the same.</param>
    /// <returns>False for a text without words.</returns>
    public bool Compute(ReadOnlySpan<char> text, Span<ulong> buckets)
    {
        ShingleWords.Read(text, _words);
        ReadOnlySpan<ulong> words = CollectionsMarshal.AsSpan(_words);
        if (words.IsEmpty)
        {
            return false;
        }

        _least.AsSpan().Fill(ulong.MaxValue);
        int n = Math.Min(GramWords, words.Length);
        for (int i = 0; i + n <= words.Length; i++)
        {
            Take(ShingleWords.Gram(words.Slice(i, n)));
        }

        for (int bucket = 0; bucket < Buckets; bucket++)
        {
            ulong hash = (ulong)bucket;
            foreach (ulong least in _least.AsSpan(bucket * HashesPerBucket, HashesPerBucket))
            {
                hash = TextHash.Mix((hash * 0x9E3779B97F4A7C15) + least);
            }

            buckets[bucket] = hash;
        }

        return true;
    }

    private void Take(ulong gram)
    {
        ulong[] least = _least;
        ulong[] keys = _keys;
        for (int k = 0; k < least.Length && k < keys.Length; k++)
        {
            // The gram is well mixed already; a multiplication on either side of a fold gives each k an order of its own.
            ulong hash = (gram ^ keys[k]) * 0xD6E8FEB86659FD93;
            hash = (hash ^ (hash >> 32)) * 0xD6E8FEB86659FD93;
            if (hash < least[k])
            {
                least[k] = hash;
            }
        }
    }

    private static ulong[] Keys()
    {
        var keys = new ulong[Hashes];
        for (int k = 0; k < keys.Length; k++)
        {
            keys[k] = TextHash.Mix(0x9E3779B97F4A7C15 * (ulong)(k + 1));
        }

        return keys;
    }
}
