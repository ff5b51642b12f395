using Puna.Tensors;

namespace Puna.Models.Conversion;

/// <summary>The order of the rows of wq and wk in the two rotary layouts (spec llama1-3.md 2.3).</summary>
public static class RowOrder
{
    /// <summary>Whether a parameter's rows are in an order that depends on the layout.</summary>
    /// <param name="canonical">Canonical name.</param>
    public static bool DependsOnLayout(string canonical) =>
        canonical.Contains(".attention.wq.", StringComparison.Ordinal) || canonical.Contains(".attention.wk.", StringComparison.Ordinal);

    /// <summary>The row of the source that becomes row <paramref name="row"/> of the result.</summary>
    /// <param name="row">Row of the result.</param>
    /// <param name="headDim">Rows per head.</param>
    /// <param name="from">Layout of the source.</param>
    /// <param name="to">Layout of the result.</param>
    public static long Source(long row, int headDim, RopeLayout from, RopeLayout to)
    {
        if (from == to)
        {
            return row;
        }

        long head = row / headDim * headDim;
        long i = row % headDim;
        int half = headDim / 2;
        // Interleaved row 2i is half-split row i, interleaved row 2i + 1 is half-split row i + half.
        return head + (to == RopeLayout.Interleaved ? (i / 2) + (i % 2 * half) : i < half ? 2 * i : (2 * (i - half)) + 1);
    }
}
