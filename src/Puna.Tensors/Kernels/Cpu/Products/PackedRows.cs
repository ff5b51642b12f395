using Puna.Tensors.Kernels.Cpu.Quantization;

namespace Puna.Tensors.Kernels.Cpu.Products;

/// <summary>Rows of packed matrices, for the embedding.</summary>
internal static unsafe class PackedRows
{
    /// <summary>Writes the values of one row, as the type's decoder gives them.</summary>
    /// <param name="matrix">The matrix.</param>
    /// <param name="row">A row of it.</param>
    /// <param name="values">Room for a row.</param>
    public static void Read(PackedMatrix matrix, int row, float* values)
    {
        byte* tile = (byte*)matrix.Address + (row / PackedMatrix.TileRows * matrix.TileBytes);
        int inTile = row % PackedMatrix.TileRows;
        switch (matrix.Layout)
        {
            case PackedLayout.Integer:
                var read = new ReadIntegers { Tile = tile, Row = inTile, Columns = matrix.Columns, Values = values };
                IntegerForms.Visit(matrix.Type, ref read);
                break;
            case PackedLayout.Rows:
                DequantizeKernels.DequantizeRow(matrix.Type, tile + (inTile * (nint)matrix.Type.RowBytes(matrix.Columns)), values, matrix.Columns);
                break;
            default:
                for (int i = 0; i < matrix.Columns; i++)
                {
                    values[i] = FloatPacker.Value(matrix.Type, tile, inTile, i);
                }

                break;
        }
    }

    private struct ReadIntegers : IFormVisitor
    {
        public byte* Tile;
        public int Row;
        public int Columns;
        public float* Values;

        public readonly void Visit<TForm>()
            where TForm : struct, IIntegerForm => IntegerPacker.Unpack<TForm>(Tile, Row, Columns / IntegerLayout<TForm>.Values, Values);
    }
}
