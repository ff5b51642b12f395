namespace Puna.Tensors.Quantization;

/// <summary>
/// The 8-bit float e4m3fn of published FP8 checkpoints: a sign, four bits of exponent with bias 7, three of fraction; no infinity, and NaN where all bits below the sign are set. The largest value is 448,
/// the smallest above zero 2^-9.
/// </summary>
public static class Float8
{
    private static readonly float[] _values = Values();

    /// <summary>The value of a code; exact.</summary>
    public static float FromE4M3(byte code) => _values[code];

    private static float[] Values()
    {
        var values = new float[256];
        for (int code = 0; code < 256; code++)
        {
            int exponent = (code >> 3) & 15, fraction = code & 7;
            double magnitude = (code & 0x7F) == 0x7F ? double.NaN
                : exponent == 0 ? fraction * Math.ScaleB(1, -9)
                : (8 + fraction) * Math.ScaleB(1, exponent - 10);
            values[code] = (float)(code >= 128 ? -magnitude : magnitude);
        }

        return values;
    }
}
