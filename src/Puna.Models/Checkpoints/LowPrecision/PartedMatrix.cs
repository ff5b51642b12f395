using Puna.Formats;
using Puna.Formats.Meta;
using Puna.Tensors;

namespace Puna.Models.Checkpoints.LowPrecision;

/// <summary>A matrix of float8 in several parts, each of which has scales of its own for its rows: a part may hold some columns of all rows. A code times its scale is rounded once, to float32.</summary>
/// <param name="File">The parts.</param>
/// <param name="Codes">The whole matrix <c>[out, in]</c>.</param>
/// <param name="Scales">Per part the scales of its rows.</param>
internal sealed record PartedMatrix(MetaCheckpoint File, TensorInfo Codes, PartScales[] Scales) : IStoredMatrix
{
    /// <inheritdoc/>
    public TensorInfo Info => Codes with { DType = DType.F32, ByteLength = checked(Codes.Shape.Count * sizeof(float)) };

    /// <inheritdoc/>
    public Tensor Decode(TensorFile file)
    {
        Tensor result = Tensor.Create(Codes.Shape);
        for (int part = 0; part < Scales.Length; part++)
        {
            float[] scales = StoredValues.Read(Scales[part].File, Scales[part].Info);
            Tensor codes = File.GetPart(Codes.Name, part, out long row, out long column);
            long first = Scales[part].First;
            Parallel.For(0L, codes.Rows, r =>
            {
                Span<float> values = result.Row<float>(row + r).Slice((int)column, (int)codes.Columns);
                StoredValues.Row(codes, r, values);
                foreach (ref float value in values)
                {
                    value *= scales[first + r];
                }
            });
            codes.Storage.Dispose();
        }

        return result;
    }
}
