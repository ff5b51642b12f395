namespace Puna.Tensors.Kernels.Cpu.Products;

/// <summary>
/// Input rows as 15-bit integers for weights of signed bytes, with one float scale per 32 values: x = scale * q, |q| at most <see cref="Limit"/>. Products of bytes do not fit
/// 16-bit sums, so 8-bit inputs would save nothing. The rounding error is 2^-15 of the largest of 32 values, and sums fit 32 bits: 32 * 16,383 * 128 is below 2^31.
/// Within 32 inputs the order is that in which codes come out of their words: for g from 0 to 3 inputs 4g, 4g + 2, 16 + 4g, 18 + 4g, 4g + 1, 4g + 3, 17 + 4g, 19 + 4g.
/// </summary>
internal unsafe struct PairRows
{
    /// <summary>Largest magnitude of a quantised input.</summary>
    public const int Limit = 16383;

    /// <summary>Quantised inputs <c>[tokens, Stride]</c>.</summary>
    public short* Q;

    /// <summary>Scales <c>[tokens, K / 32]</c>.</summary>
    public float* Scales;

    /// <summary>Inputs per row, a multiple of 32.</summary>
    public int K;

    /// <summary>Quantised inputs from a row to the next: not a power of two, so that the rows which a kernel reads side by side do not share the sets of a cache.</summary>
    public readonly int Stride => K + 32;

    /// <summary>Floats of memory for the rows of a batch.</summary>
    public static long Floats(int tokens, int k) => Align(Rows(tokens) * ((k / 2) + 16)) + Align(Rows(tokens) * (k / 32));

    /// <summary>Rows in memory of <see cref="Floats"/> floats.</summary>
    public static PairRows At(float* memory, int tokens, int k) =>
        new() { K = k, Q = (short*)memory, Scales = memory + Align(Rows(tokens) * ((k / 2) + 16)) };

    /// <summary>The same rows from row <paramref name="token"/> and input <paramref name="k"/> on, a multiple of 32.</summary>
    public readonly PairRows From(int token, int k) => new()
    {
        K = K,
        Q = Q + ((nint)token * Stride) + k,
        Scales = Scales + ((nint)token * (K / 32)) + (k / 32),
    };

    /// <summary>The place of input <paramref name="k"/> of 32 in the order of <see cref="Q"/>.</summary>
    public static int Place(int k) => (k % 16 / 4 * 8) + (k % 2 * 4) + (k / 16 * 2) + (k % 4 / 2);

    // Kernels take four or six rows at a time; the last of them may be rows that nobody wrote and whose results nobody reads.
    private static long Rows(int tokens) => tokens + 3L;

    private static long Align(long floats) => (floats + 15) / 16 * 16;
}
