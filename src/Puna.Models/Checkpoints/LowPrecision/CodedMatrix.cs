using Puna.Formats;
using Puna.Tensors;

namespace Puna.Models.Checkpoints.LowPrecision;

/// <summary>
/// A matrix of codes: (code - zero) scale, where a scale belongs to the whole matrix, to a row, or to a group of columns of a row. A code times its scale is rounded once, to float32; with an adapter or a
/// rotation the sum is formed in float64 and rounded once.
/// </summary>
/// <param name="Codes"><c>[out, in]</c>, integers or floats of 8 bits.</param>
/// <param name="Scales">One value, <c>[out]</c>, or <c>[out, groups]</c>.</param>
internal sealed record CodedMatrix(TensorInfo Codes, TensorInfo Scales) : IStoredMatrix
{
    /// <summary>Zero points, as many as scales; null where all are 0.</summary>
    public TensorInfo? Zeros { get; init; }

    /// <summary>What is added, or null.</summary>
    public LowRankPart? Adapter { get; init; }

    /// <summary>Whether the matrix reads its input in the basis of <see cref="Hadamard"/>: it is put back into the basis of the input, W H, so that nothing needs to be done to the input.</summary>
    public bool IsRotated { get; init; }

    /// <inheritdoc/>
    public TensorInfo Info => Codes with { DType = DType.F32, ByteLength = checked(Codes.Shape.Count * sizeof(float)) };

    private long Groups => Scales.Shape.Count == 1 ? 1 : Scales.Shape.Count / Codes.Shape.Rows;

    /// <summary>What is wrong with the sizes, as <c>tensor name: expected x, got y</c>, or null.</summary>
    /// <param name="group">Columns of a group, where the settings say so.</param>
    public string? Problem(int? group = null)
    {
        Shape shape = Codes.Shape;
        if (shape.Rank != 2 || shape.Count == 0)
        {
            return $"tensor {Codes.Name}: expected a matrix of {Codes.DType.Name()} codes, got {shape}";
        }

        Shape s = Scales.Shape;
        bool perRow = (s.Rank == 1 && s[0] == shape[0]) || (s.Rank == 2 && s[0] == shape[0] && s[1] == 1);
        bool perGroup = s.Rank == 2 && s[0] == shape[0] && s[1] > 0 && shape[1] % s[1] == 0 && (group is null || shape[1] / s[1] == group);
        if (!(group is null ? s.Count == 1 || perRow || perGroup : perGroup) || !StoredValues.CanRead(Scales.DType))
        {
            string expected = group is null ? $"floats for the {shape[0]} rows of {Codes.Name}" : $"floats [{shape[0]}, {shape[1] / group}]";
            return $"tensor {Scales.Name}: expected {expected}, got {Scales.DType.Name()} {s}";
        }

        if (Zeros is not null && (Zeros.Shape.Count != s.Count || !StoredValues.CanRead(Zeros.DType)))
        {
            return $"tensor {Zeros.Name}: expected numbers {s}, got {Zeros.DType.Name()} {Zeros.Shape}";
        }

        if (Adapter is { } part && !(part.A.Shape.Rank == 2 && part.B.Shape.Rank == 2 && part.A.Shape[1] == shape[1] && part.B.Shape[0] == shape[0] && part.A.Shape[0] == part.B.Shape[1]
            && part.A.DType.IsFloat() && part.B.DType.IsFloat()))
        {
            return $"tensor {part.B.Name}: expected floats [{shape[0]}, rank] and [rank, {shape[1]}], got {part.B.DType.Name()} {part.B.Shape} and {part.A.DType.Name()} {part.A.Shape}";
        }

        return IsRotated && !System.Numerics.BitOperations.IsPow2(shape[1])
            ? $"tensor {Codes.Name}: expected a power of two of columns to rotate, got {shape}"
            : null;
    }

    /// <inheritdoc/>
    public Tensor Decode(TensorFile file)
    {
        float[] scales = StoredValues.Read(file, Scales);
        float[]? zeros = Zeros is null ? null : StoredValues.Read(file, Zeros);
        float[]? a = Adapter is null ? null : StoredValues.Read(file, Adapter.A);
        float[]? b = Adapter is null ? null : StoredValues.Read(file, Adapter.B);
        Tensor codes = file.GetTensor(Codes.Name);
        Tensor result = Tensor.Create(Codes.Shape);
        int columns = checked((int)Codes.Shape.Columns), groups = checked((int)Groups), width = columns / groups;
        Parallel.For(0L, Codes.Shape.Rows, row =>
        {
            Span<float> values = result.Row<float>(row);
            StoredValues.Row(codes, row, values);
            for (int g = 0; g < groups; g++)
            {
                long at = scales.Length == 1 ? 0 : (row * groups) + g;
                float zero = zeros is null ? 0 : zeros[at];
                foreach (ref float value in values.Slice(g * width, width))
                {
                    value = (value - zero) * scales[at];
                }
            }

            if (a is not null || IsRotated)
            {
                Finish(values, row, a, b);
            }
        });
        codes.Storage.GiveBack(codes.Offset, (nint)codes.ByteLength);
        file.Release(codes);
        return result;
    }

    private void Finish(Span<float> values, long row, float[]? a, float[]? b)
    {
        var sum = new double[values.Length];
        for (int i = 0; i < sum.Length; i++)
        {
            sum[i] = values[i];
        }

        int rank = a is null ? 0 : a.Length / sum.Length;
        for (int r = 0; r < rank; r++)
        {
            double factor = Adapter!.Scale * b![(row * rank) + r];
            for (int i = 0; i < sum.Length; i++)
            {
                sum[i] += factor * a![(r * sum.Length) + i];
            }
        }

        if (IsRotated)
        {
            Hadamard.Transform(sum);
        }

        for (int i = 0; i < sum.Length; i++)
        {
            values[i] = (float)sum[i];
        }
    }
}
