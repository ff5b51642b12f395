namespace Puna.Runtime.Sampling;

/// <summary>
/// The counter-based random generator Philox4x32 with 10 rounds (Salmon, Moraes, Dror, Shaw: Parallel Random Numbers: As Easy as 1, 2, 3; SC 2011).
/// It has no state: the same key and counter give the same bits on every platform and .NET version, so a generation can be replayed from any
/// token on, in any batch order and after preemption (spec serving.md 6.6).
/// </summary>
public static class Philox
{
    private const uint Multiplier0 = 0xD2511F53;
    private const uint Multiplier1 = 0xCD9E8D57;
    private const uint Weyl0 = 0x9E3779B9;
    private const uint Weyl1 = 0xBB67AE85;
    private const int Rounds = 10;

    /// <summary>One block of 128 random bits.</summary>
    /// <param name="key">Two 32-bit words, the first one in the low half.</param>
    /// <param name="counterLow">The first two words of the counter, the first one in the low half.</param>
    /// <param name="counterHigh">The last two words of the counter.</param>
    /// <returns>Words 0 and 1 in <c>Low</c> and words 2 and 3 in <c>High</c>, the earlier word in the low half.</returns>
    public static (ulong Low, ulong High) Block(ulong key, ulong counterLow, ulong counterHigh)
    {
        uint key0 = (uint)key, key1 = (uint)(key >> 32);
        uint word0 = (uint)counterLow, word1 = (uint)(counterLow >> 32), word2 = (uint)counterHigh, word3 = (uint)(counterHigh >> 32);
        for (int round = 0; round < Rounds; round++)
        {
            ulong product0 = (ulong)Multiplier0 * word0;
            ulong product1 = (ulong)Multiplier1 * word2;
            word0 = (uint)(product1 >> 32) ^ word1 ^ key0;
            word2 = (uint)(product0 >> 32) ^ word3 ^ key1;
            word1 = (uint)product1;
            word3 = (uint)product0;
            key0 = unchecked(key0 + Weyl0);
            key1 = unchecked(key1 + Weyl1);
        }

        return (word0 | (ulong)word1 << 32, word2 | (ulong)word3 << 32);
    }

    /// <summary>The uniform number that draws one token: the upper 53 of the first 64 bits of the block, times 2^-53.</summary>
    /// <param name="seed">Seed of the request, the key.</param>
    /// <param name="position">Position of the token in its sequence (prompt included), counter words 0 and 1.</param>
    /// <param name="choice">Index of the choice where one prompt is continued several times, counter word 2.</param>
    /// <returns>A number in [0, 1).</returns>
    public static double Uniform(ulong seed, long position, int choice) =>
        (Block(seed, (ulong)position, (uint)choice).Low >> 11) * (1.0 / (1UL << 53));
}
