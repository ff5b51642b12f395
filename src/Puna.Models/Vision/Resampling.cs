namespace Puna.Models.Vision;

/// <summary>
/// Antialiased bilinear resampling of 8-bit pictures with the exact bits of Pillow and of torchvision (spec llama4.md 4.9): one axis after the other in fixed point, each pass
/// rounded to 8 bits; an axis that keeps its size is skipped. Where a picture shrinks the triangle is widened.
/// </summary>
public static class Resampling
{
    // The weights of an output sum to 1 but for half a step each, so sums of 8-bit values stay below 2^31.
    private const int PillowBits = 22;

    /// <summary>Resamples.</summary>
    /// <param name="pixels"><c>[height, width, 3]</c>.</param>
    /// <param name="height">Rows of it.</param>
    /// <param name="width">Columns of it.</param>
    /// <param name="newHeight">Rows wanted.</param>
    /// <param name="newWidth">Columns wanted.</param>
    /// <param name="isPillow">Pillow's 22 bits and its order of the passes; else torchvision's largest precision whose weights fit 16 bits.</param>
    /// <returns><c>[newHeight, newWidth, 3]</c>.</returns>
    public static byte[] Resize(byte[] pixels, int height, int width, int newHeight, int newWidth, bool isPillow)
    {
        // Pillow 13 (python-pillow/Pillow #9549) shrinks rows first where that saves more; before, columns were always first.
        if (isPillow && height - newHeight > Math.Max(0, 2L * (width - newWidth)))
        {
            return Columns(Rows(pixels, height, width, newHeight, isPillow), newHeight, width, newWidth, isPillow);
        }

        return Rows(Columns(pixels, height, width, newWidth, isPillow), height, newWidth, newHeight, isPillow);
    }

    private static byte[] Columns(byte[] pixels, int height, int width, int newWidth, bool isPillow)
    {
        if (width == newWidth)
        {
            return pixels;
        }

        Taps taps = Taps.Create(width, newWidth, isPillow);
        var result = new byte[(long)height * newWidth * 3];
        for (int y = 0; y < height; y++)
        {
            ReadOnlySpan<byte> row = pixels.AsSpan(checked(y * width * 3), width * 3);
            Span<byte> to = result.AsSpan(checked(y * newWidth * 3), newWidth * 3);
            for (int x = 0; x < newWidth; x++)
            {
                ReadOnlySpan<int> weights = taps.Of(x);
                ReadOnlySpan<byte> from = row.Slice(taps.First(x) * 3, weights.Length * 3);
                int r = taps.Half, g = taps.Half, b = taps.Half;
                for (int k = 0; k < weights.Length; k++)
                {
                    r += weights[k] * from[3 * k];
                    g += weights[k] * from[(3 * k) + 1];
                    b += weights[k] * from[(3 * k) + 2];
                }

                to[3 * x] = taps.Round(r);
                to[(3 * x) + 1] = taps.Round(g);
                to[(3 * x) + 2] = taps.Round(b);
            }
        }

        return result;
    }

    private static byte[] Rows(byte[] pixels, int height, int width, int newHeight, bool isPillow)
    {
        if (height == newHeight)
        {
            return pixels;
        }

        Taps taps = Taps.Create(height, newHeight, isPillow);
        var result = new byte[(long)newHeight * width * 3];
        var sums = new int[width * 3];
        for (int y = 0; y < newHeight; y++)
        {
            Array.Fill(sums, taps.Half);
            ReadOnlySpan<int> weights = taps.Of(y);
            for (int k = 0; k < weights.Length; k++)
            {
                int weight = weights[k];
                ReadOnlySpan<byte> row = pixels.AsSpan(checked((taps.First(y) + k) * sums.Length), sums.Length);
                for (int i = 0; i < row.Length; i++)
                {
                    sums[i] += weight * row[i];
                }
            }

            Span<byte> to = result.AsSpan(checked(y * sums.Length), sums.Length);
            for (int i = 0; i < to.Length; i++)
            {
                to[i] = taps.Round(sums[i]);
            }
        }

        return result;
    }

    /// <summary>The weights of every output of one axis.</summary>
    private sealed class Taps
    {
        private readonly int[] _first;
        private readonly int[] _start;
        private readonly int[] _weights;
        private readonly int _bits;

        private Taps(int[] first, int[] start, int[] weights, int bits) => (_first, _start, _weights, _bits) = (first, start, weights, bits);

        public int Half => (1 << _bits) >> 1;

        public int First(int output) => _first[output];

        public ReadOnlySpan<int> Of(int output) => _weights.AsSpan(_start[output].._start[output + 1]);

        public byte Round(int sum) => (byte)Math.Clamp(sum >> _bits, 0, 255);

        public static Taps Create(int size, int newSize, bool isPillow)
        {
            double scale = (double)size / newSize;
            double support = Math.Max(scale, 1);
            var first = new int[newSize];
            var start = new int[newSize + 1];
            var exact = new List<double>();
            double most = 0;
            for (int i = 0; i < newSize; i++)
            {
                double center = (i + 0.5) * scale;
                first[i] = Math.Max((int)(center - support + 0.5), 0);
                int end = Math.Min((int)(center + support + 0.5), size);
                double sum = 0;
                for (int j = first[i]; j < end; j++)
                {
                    double weight = Math.Max(0, 1 - Math.Abs((j - center + 0.5) * (1 / support)));
                    sum += weight;
                    exact.Add(weight);
                }

                for (int k = start[i]; k < exact.Count; k++)
                {
                    exact[k] /= sum;
                    most = Math.Max(most, exact[k]);
                }

                start[i + 1] = exact.Count;
            }

            int bits = PillowBits;
            for (int b = 0; !isPillow && b < PillowBits; b++)
            {
                if ((long)(0.5 + (most * (1L << (b + 1)))) >= 1 << 15)
                {
                    bits = b;
                    break;
                }
            }

            var weights = new int[exact.Count];
            for (int k = 0; k < weights.Length; k++)
            {
                weights[k] = (int)(0.5 + (exact[k] * (1 << bits)));
            }

            return new Taps(first, start, weights, bits);
        }
    }
}
