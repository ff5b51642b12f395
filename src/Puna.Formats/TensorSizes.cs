using Puna.Tensors;

namespace Puna.Formats;

/// <summary>The arithmetic of tensor sizes on numbers that nobody has checked yet.</summary>
internal static class TensorSizes
{
    /// <summary>
    /// Checks that sizes read from a file make a tensor: not negative, whole blocks in a row, everything within 63 bits (of an empty tensor, too, so that
    /// no later product of some of its sizes overflows).
    /// </summary>
    /// <param name="dtype">Type of the values.</param>
    /// <param name="sizes">Outermost first, at most <see cref="Shape.MaxRank"/>.</param>
    /// <param name="shape">The shape, where the answer is null.</param>
    /// <param name="byteLength">Bytes of all values, where the answer is null.</param>
    /// <returns>Null, or what is wrong, as <c>expected x, got y</c>.</returns>
    public static string? Check(DType dtype, ReadOnlySpan<long> sizes, out Shape shape, out long byteLength)
    {
        shape = default;
        byteLength = 0;
        long count = 1;
        bool empty = false;
        foreach (long size in sizes)
        {
            if (size < 0)
            {
                return $"expected sizes that are not negative, got {Text(sizes)}";
            }

            if (size == 0)
            {
                empty = true;
            }
            else if (count > long.MaxValue / size)
            {
                return $"expected sizes whose product fits 63 bits, got {Text(sizes)}";
            }
            else
            {
                count *= size;
            }
        }

        int blockSize = dtype.BlockSize();
        long columns = sizes.IsEmpty ? 1 : sizes[^1];
        if (columns % blockSize != 0)
        {
            return $"expected rows of a multiple of {blockSize} values of {dtype.Name()}, got {Text(sizes)}";
        }

        // Rounded up for the empty tensors whose other sizes are no whole number of blocks.
        long blocks = (count / blockSize) + (count % blockSize == 0 ? 0 : 1);
        if (blocks > long.MaxValue / dtype.BlockBytes())
        {
            return $"expected at most 2^63 bytes, got {dtype.Name()} {Text(sizes)}";
        }

        shape = new Shape(sizes);
        byteLength = empty ? 0 : blocks * dtype.BlockBytes();
        return null;
    }

    private static string Text(ReadOnlySpan<long> sizes) => $"[{string.Join(", ", sizes.ToArray())}]";
}
