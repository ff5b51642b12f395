namespace Puna.Formats.Images;

/// <summary>Alpha over white, in the integers of Pillow's <c>alpha_composite</c>: of an opaque background, the exact value rounded to nearest.</summary>
internal static class OnWhite
{
    public static byte Blend(byte value, byte alpha)
    {
        // Pillow carries 7 more bits; with an opaque background they are zeros.
        int sum = (value * alpha) + (255 * (255 - alpha)) + 128;
        return (byte)(((sum >> 8) + sum) >> 8);
    }

    /// <summary>Puts RGBA on white.</summary>
    public static void Blend(ReadOnlySpan<byte> rgba, Span<byte> rgb)
    {
        for (int i = 0, o = 0; i < rgba.Length; i += 4, o += 3)
        {
            byte alpha = rgba[i + 3];
            rgb[o] = Blend(rgba[i], alpha);
            rgb[o + 1] = Blend(rgba[i + 1], alpha);
            rgb[o + 2] = Blend(rgba[i + 2], alpha);
        }
    }
}
