using System.Runtime.InteropServices;
using Puna.Formats;
using Puna.Tensors;

namespace Puna.Models.Checkpoints;

/// <summary>Where the matrix of an expert is in a larger tensor.</summary>
/// <param name="Stack">The tensor that holds it; rows are those of the innermost dimension.</param>
/// <param name="FirstRow">Its first row there.</param>
/// <param name="Rows">Rows there.</param>
/// <param name="FirstColumn">Its first column there.</param>
/// <param name="Columns">Columns there.</param>
/// <param name="IsTransposed">Whether it lies there as <c>[in, out]</c>.</param>
internal sealed record ExpertPlace(TensorInfo Stack, long FirstRow, long Rows, long FirstColumn, long Columns, bool IsTransposed)
{
    // Rows of the result that are written together: with so many, what is read fills a cache line.
    private const int Strip = 32;

    /// <summary>Sizes of the matrix, <c>[out, in]</c>.</summary>
    public Shape Shape => IsTransposed ? new Shape(Columns, Rows) : new Shape(Rows, Columns);

    /// <summary>What the file would say of the matrix alone.</summary>
    /// <param name="name">What to call it.</param>
    public TensorInfo Info(string name)
    {
        long rowBytes = Stack.DType.RowBytes(Stack.Shape.Columns);
        return new TensorInfo(name, Stack.DType, Shape, Stack.File, Stack.Offset + (FirstRow * rowBytes) + (FirstColumn * Stack.DType.BlockBytes()), Shape.Rows * Stack.DType.RowBytes(Shape.Columns));
    }

    /// <summary>The matrix: a view of the larger tensor, or a copy in memory of its own where that has it transposed.</summary>
    public Tensor Take(Tensor stack)
    {
        if (!IsTransposed)
        {
            return stack.Slice(FirstRow, Rows);
        }

        Tensor result = Tensor.Create(Shape, stack.DType);
        if (stack.DType.BlockBytes() == sizeof(float))
        {
            Transpose<uint>(stack, result);
        }
        else
        {
            Transpose<ushort>(stack, result);
        }

        // A mapped file's pages need not stay: the copy holds what was read.
        stack.Storage.GiveBack(stack.Offset + ((nint)FirstRow * stack.RowStride), (nint)Rows * stack.RowStride);
        return result;
    }

    private void Transpose<T>(Tensor from, Tensor to)
        where T : unmanaged
    {
        int inputs = (int)Rows;
        for (int first = 0; first < Columns; first += Strip)
        {
            int count = (int)Math.Min(Strip, Columns - first);
            Span<T> rows = to.Storage.Span<T>(to.Offset + (first * to.RowStride), count * inputs);
            for (int r = 0; r < inputs; r++)
            {
                ReadOnlySpan<T> values = MemoryMarshal.Cast<byte, T>(from.Row<byte>(FirstRow + r)).Slice((int)FirstColumn + first, count);
                for (int c = 0; c < values.Length; c++)
                {
                    rows[(c * inputs) + r] = values[c];
                }
            }
        }
    }
}
