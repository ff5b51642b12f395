namespace Puna.Tensors.Kernels.Cpu.Products;

/// <summary>
/// Input rows as 15-bit integers with one float scale per 32 values: x = scale * q, |q| at most <see cref="Limit"/>. The rounding error is 2^-15 of the largest of 32
/// values, some 130 times less than with 8 bits, and the products still fit 32-bit sums: 32 * 16,383 * 4,096 (the largest code times its integer scale, Q6_K) is below 2^31.
/// Within 32 inputs the order is that in which packed codes come out of their words: for g from 0 to 3 inputs 4g, 4g + 2, 16 + 4g, 18 + 4g, 4g + 1, 4g + 3, 17 + 4g, 19 + 4g.
/// </summary>
internal unsafe struct QuantizedRows
{
    /// <summary>Largest magnitude of a quantised input.</summary>
    public const int Limit = 16383;

    /// <summary>Quantised inputs <c>[tokens, Stride]</c>.</summary>
    public short* Q;

    /// <summary>Scales <c>[tokens, K / 32]</c>.</summary>
    public float* Scales;

    /// <summary>Sums of 16 quantised inputs <c>[tokens, K / 16]</c>.</summary>
    public int* Sums;

    /// <summary>Scale times sum of 16 inputs <c>[tokens, K / 16]</c>.</summary>
    public float* Means16;

    /// <summary>Scale times sum of 32 inputs <c>[tokens, K / 32]</c>.</summary>
    public float* Means32;

    /// <summary>Inputs per row, a multiple of 32.</summary>
    public int K;

    /// <summary>Quantised inputs from a row to the next: not a power of two, so that the rows which a kernel reads side by side do not share the sets of a cache.</summary>
    public readonly int Stride => K + 32;

    /// <summary>Floats of memory for the rows of a batch.</summary>
    public static long Floats(int tokens, int k) => tokens * (Align((k / 2) + 16) + (2L * Align(k / 32)) + (2L * Align(k / 16)));

    /// <summary>Rows in memory of <see cref="Floats"/> floats.</summary>
    public static QuantizedRows At(float* memory, int tokens, int k)
    {
        var rows = new QuantizedRows { K = k, Q = (short*)memory };
        memory += tokens * Align((k / 2) + 16);
        rows.Scales = memory;
        memory += tokens * Align(k / 32);
        rows.Means32 = memory;
        memory += tokens * Align(k / 32);
        rows.Sums = (int*)memory;
        memory += tokens * Align(k / 16);
        rows.Means16 = memory;
        return rows;
    }

    /// <summary>The same rows from row <paramref name="token"/> and input <paramref name="k"/> on, a multiple of 32.</summary>
    public readonly QuantizedRows From(int token, int k) => new()
    {
        K = K,
        Q = Q + ((nint)token * Stride) + k,
        Scales = Scales + ((nint)token * (K / 32)) + (k / 32),
        Means32 = Means32 + ((nint)token * (K / 32)) + (k / 32),
        Sums = Sums + ((nint)token * (K / 16)) + (k / 16),
        Means16 = Means16 + ((nint)token * (K / 16)) + (k / 16),
    };

    /// <summary>The place of input <paramref name="k"/> of 32 in the order of <see cref="Q"/>.</summary>
    public static int Place(int k) => (k % 16 / 4 * 8) + (k % 2 * 4) + (k / 16 * 2) + (k % 4 / 2);

    private static long Align(int floats) => (floats + 15L) / 16 * 16;
}
