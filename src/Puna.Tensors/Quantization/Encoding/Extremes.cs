namespace Puna.Tensors.Quantization.Encoding;

/// <summary>Largest and smallest values of a block.</summary>
internal static class Extremes
{
    /// <summary>The value of largest magnitude with its sign, the first of equals; 0 if there is none.</summary>
    public static float Signed(ReadOnlySpan<float> values)
    {
        float magnitude = 0;
        float signed = 0;
        foreach (float value in values)
        {
            if (MathF.Abs(value) > magnitude)
            {
                magnitude = MathF.Abs(value);
                signed = value;
            }
        }

        return signed;
    }

    /// <summary>Smallest and largest value; of zeros the first one, whatever its sign.</summary>
    public static (float Least, float Most) Range(ReadOnlySpan<float> values)
    {
        float least = values[0];
        float most = values[0];
        foreach (float value in values)
        {
            least = value < least ? value : least;
            most = value > most ? value : most;
        }

        return (least, most);
    }
}
