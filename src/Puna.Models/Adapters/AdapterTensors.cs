using Puna.Formats;
using Puna.Tensors;
using Puna.Tensors.Quantization;

namespace Puna.Models.Adapters;

/// <summary>The matrices of an adapter, gathered by the weight they change and checked against its sizes.</summary>
/// <param name="file">The tensors.</param>
/// <param name="config">The model.</param>
internal sealed class AdapterTensors(TensorFile file, LlamaConfig config)
{
    /// <summary>More is no low rank any more, and would make a small file ask for much memory.</summary>
    private const int LargestRank = 1 << 14;

    private readonly Dictionary<string, Shape> _shapes = config.Parameters().ToDictionary(static p => p.Name, static p => p.Shape, StringComparer.Ordinal);

    /// <summary>Builds one part.</summary>
    /// <param name="canonical">Canonical name of the weight.</param>
    /// <param name="a">Name of A.</param>
    /// <param name="b">Name of B.</param>
    /// <param name="magnitude">Name of the magnitude, or null.</param>
    /// <param name="table">How A and B of an embedding are stored: A for <c>[out, rank]</c> and B for <c>[in, rank]</c>, whichever way up.</param>
    /// <param name="scale">The scale of a rank.</param>
    /// <param name="layout">Order of rows.</param>
    public LoraPart Part(string canonical, string a, string b, string? magnitude, bool table, Func<int, double> scale, RopeLayout layout)
    {
        Shape weight = _shapes[canonical];
        (long rows, long columns) = (weight[0], weight[1]);
        TensorInfo first = Require(a, canonical);
        TensorInfo second = Require(b, canonical);

        // Of a table, the file has A by rows of the vocabulary or by its columns, and B the other way round than of a layer.
        bool upright = table && first.Shape.Rank == 2 && first.Shape[0] == rows;
        long rank = first.Shape.Rank == 2 ? first.Shape[upright ? 1 : 0] : 0;
        if (rank is < 1 or > LargestRank)
        {
            throw new FileFormatException(file.Path, $"tensor {a}: expected a matrix of a rank from 1 to {LargestRank}, got {first.Shape}");
        }

        Expect(first, upright ? new Shape(rows, rank) : new Shape(rank, table ? rows : columns));
        Expect(second, new Shape(table ? columns : rows, rank));
        double factor = scale((int)rank);
        if (!float.IsFinite((float)factor))
        {
            throw new FileFormatException(file.Path, FormattableString.Invariant($"adapter scale of {canonical}: expected a number that float32 can hold, got {factor}"));
        }

        float[]? lengths = null;
        if (magnitude is not null)
        {
            TensorInfo info = Require(magnitude, canonical);
            if (info.Shape.Count != rows)
            {
                throw new FileFormatException(file.Path, $"tensor {magnitude}: expected {rows} values, got {info.Shape}");
            }

            lengths = Values(info);
        }

        float[] one = Values(first);
        float[] other = Values(second);
        return table
            ? new LoraPart(Transpose(other, (int)rank), upright ? one : Transpose(one, (int)rows), (int)rank, factor, lengths, layout)
            : new LoraPart(one, other, (int)rank, factor, lengths, layout);
    }

    /// <summary>A parameter that an adapter has in full, in memory of its own.</summary>
    /// <param name="info">The tensor.</param>
    /// <param name="shape">The parameter's sizes.</param>
    public Tensor Whole(TensorInfo info, Shape shape)
    {
        Expect(info, shape);
        _ = Values(info);
        Tensor stored = file.GetTensor(info.Name), copy = Tensor.Create(shape, info.DType);
        for (long row = 0; row < stored.Rows; row++)
        {
            stored.Row<byte>(row).CopyTo(copy.Row<byte>(row));
        }

        return copy;
    }

    private static float[] Transpose(float[] values, int columns)
    {
        var result = new float[values.Length];
        int rows = values.Length / columns;
        for (int r = 0; r < rows; r++)
        {
            for (int c = 0; c < columns; c++)
            {
                result[(c * rows) + r] = values[(r * columns) + c];
            }
        }

        return result;
    }

    private TensorInfo Require(string name, string canonical) =>
        file.TryGetInfo(name, out TensorInfo? info) ? info : throw new FileFormatException(file.Path, $"tensor {name}: expected beside the other one for {canonical}, got none");

    private void Expect(TensorInfo info, Shape shape)
    {
        if (info.Shape != shape)
        {
            throw new FileFormatException(file.Path, $"tensor {info.Name}: expected {shape}, got {info.Shape}");
        }
    }

    private float[] Values(TensorInfo info)
    {
        if (!info.DType.IsFloat() && !info.DType.IsBlock())
        {
            throw new FileFormatException(file.Path, $"tensor {info.Name}: expected floats, got {info.DType.Name()}");
        }

        Tensor tensor = file.GetTensor(info.Name);
        var values = new float[checked((int)info.Shape.Count)];
        for (long row = 0; row < tensor.Rows; row++)
        {
            Dequantizer.Dequantize(info.DType, tensor.Row<byte>(row), values.AsSpan((int)(row * tensor.Columns), (int)tensor.Columns));
        }

        foreach (float value in values)
        {
            if (!float.IsFinite(value))
            {
                throw new FileFormatException(file.Path, $"tensor {info.Name}: expected finite values, got {value}");
            }
        }

        return values;
    }
}
