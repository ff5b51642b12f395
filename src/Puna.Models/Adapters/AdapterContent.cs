using Puna.Models.Conversion;
using Puna.Tensors;

namespace Puna.Models.Adapters;

/// <summary>What an adapter's files hold, by the canonical names of the parameters that it changes.</summary>
/// <param name="Parts">What is added to weights.</param>
/// <param name="Whole">Parameters that it has in full, in place of the model's (peft's <c>modules_to_save</c>), in memory of their own.</param>
/// <param name="Layout">Order of the rows of wq and wk in these.</param>
/// <param name="Unties">Whether a model whose output layer is its embedding has two of its own with it.</param>
internal sealed record AdapterContent(IReadOnlyDictionary<string, LoraPart> Parts, IReadOnlyDictionary<string, Tensor> Whole, RopeLayout Layout, bool Unties)
{
    /// <summary>A copy of a parameter that it has in full.</summary>
    /// <param name="canonical">Its name.</param>
    /// <param name="layout">Order of the rows of wq and wk in the model.</param>
    /// <param name="headDim">Rows per head.</param>
    public Tensor Take(string canonical, RopeLayout layout, int headDim)
    {
        Tensor own = Whole[canonical];
        Tensor copy = Tensor.Create(own.Shape, own.DType);
        bool reorder = RowOrder.DependsOnLayout(canonical) && layout != Layout;
        if (own.Shape.Rank == 1)
        {
            int size = own.DType.BlockBytes();
            for (int i = 0; i < own.Columns; i++)
            {
                long from = reorder ? RowOrder.Source(i, headDim, Layout, layout) : i;
                own.Row<byte>(0).Slice((int)from * size, size).CopyTo(copy.Row<byte>(0)[(i * size)..]);
            }

            return copy;
        }

        for (long row = 0; row < own.Rows; row++)
        {
            own.Row<byte>(reorder ? RowOrder.Source(row, headDim, Layout, layout) : row).CopyTo(copy.Row<byte>(row));
        }

        return copy;
    }
}
