namespace Puna.Tensors.Kernels.Cpu.Products;

/// <summary>
/// Input rows as 8-bit integers for weights whose codes have at most six bits: x = scale * m * q with one float scale per row, an integer m, 1 to <see cref="MaxMultiplier"/>, per 16
/// values, and |q| at most <see cref="Limit"/>. So 8-bit multiply-adds, twice as fast as those of 16 bits, add up 16 products before m is applied, still in integers.
/// </summary>
/// <remarks>
/// The rounding error is half a step of the largest of 16 values, where formats with a scale per 32 values have half a step of the largest of 32. That m is an integer costs
/// something only in 16 values that are all some thousand times smaller than the row's largest one, and there the error is below what float32 keeps of that one.
/// Sums of 32 products, 32 * 31 * 127 * 16,383 at most, are below 2^31.
/// </remarks>
internal unsafe struct QuadRows
{
    /// <summary>Rows that the panel kernel takes.</summary>
    public const int Together = 4;

    /// <summary>Largest magnitude of a quantised input.</summary>
    public const int Limit = 127;

    /// <summary>Largest m.</summary>
    public const int MaxMultiplier = 16383;

    /// <summary>Rows side by side: 1, or <see cref="Together"/> where kernels take so many at a time.</summary>
    public int Lanes;

    /// <summary>Inputs per row, a multiple of 32.</summary>
    public int K;

    /// <summary>Quantised inputs, four to a word <c>[tokens / Lanes, K / 4, Lanes]</c>.</summary>
    public int* Q;

    /// <summary>m in both halves of 32 bits <c>[tokens / Lanes, K / 16, Lanes]</c>.</summary>
    public int* M;

    /// <summary>m times sum of 16 quantised inputs <c>[tokens / Lanes, K / 16, Lanes]</c>.</summary>
    public int* Sums16;

    /// <summary>The same of 32 <c>[tokens / Lanes, K / 32, Lanes]</c>.</summary>
    public int* Sums32;

    /// <summary><see cref="Sums16"/> as floats.</summary>
    public float* Means16;

    /// <summary><see cref="Sums32"/> as floats.</summary>
    public float* Means32;

    /// <summary>What a row's sums are multiplied with at the end <c>[tokens]</c>.</summary>
    public float* Scale;

    /// <summary>Floats of memory for the rows of a batch.</summary>
    public static long Floats(int tokens, int k, int lanes)
    {
        long rows = Rows(tokens, lanes);
        return Align(rows) + Align(rows * (k / 4)) + (3 * Align(rows * (k / 16))) + (2 * Align(rows * (k / 32)));
    }

    /// <summary>Rows in memory of <see cref="Floats"/> floats.</summary>
    public static QuadRows At(float* memory, int tokens, int k, int lanes)
    {
        long rows = Rows(tokens, lanes);
        var result = new QuadRows { Lanes = lanes, K = k, Scale = memory };
        memory += Align(rows);
        result.Q = (int*)memory;
        memory += Align(rows * (k / 4));
        result.M = (int*)memory;
        memory += Align(rows * (k / 16));
        result.Sums16 = (int*)memory;
        memory += Align(rows * (k / 16));
        result.Means16 = memory;
        memory += Align(rows * (k / 16));
        result.Sums32 = (int*)memory;
        memory += Align(rows * (k / 32));
        result.Means32 = memory;
        return result;
    }

    /// <summary>
    /// The same rows from row <paramref name="token"/> and input <paramref name="k"/> on, a multiple of 32; the entries of that row are <see cref="Lanes"/> apart.
    /// </summary>
    public readonly QuadRows From(int token, int k)
    {
        nint block = token / Lanes * (nint)Lanes;
        int lane = token % Lanes;
        return this with
        {
            Q = Q + (block * (K / 4)) + (k / 4 * (nint)Lanes) + lane,
            M = M + (block * (K / 16)) + (k / 16 * (nint)Lanes) + lane,
            Sums16 = Sums16 + (block * (K / 16)) + (k / 16 * (nint)Lanes) + lane,
            Means16 = Means16 + (block * (K / 16)) + (k / 16 * (nint)Lanes) + lane,
            Sums32 = Sums32 + (block * (K / 32)) + (k / 32 * (nint)Lanes) + lane,
            Means32 = Means32 + (block * (K / 32)) + (k / 32 * (nint)Lanes) + lane,
            Scale = Scale + token,
        };
    }

    // The last of the rows that a kernel takes together may be rows that nobody wrote and whose results nobody reads.
    private static long Rows(int tokens, int lanes) => (tokens + lanes - 1L) / lanes * lanes;

    private static long Align(long floats) => (floats + 15) / 16 * 16;
}
