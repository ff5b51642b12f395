namespace Puna.Tensors.Kernels.Cpu.Products;

/// <summary>Packs tiles of a weight, an item a tile.</summary>
internal unsafe struct PackTiles : IKernelJob
{
    /// <summary>Type of the weight.</summary>
    public DType Type;

    /// <summary>First byte of the weight.</summary>
    public byte* Source;

    /// <summary>Bytes from a row to the next.</summary>
    public nint Stride;

    /// <summary>Rows of the weight.</summary>
    public int Rows;

    /// <summary>Values per row.</summary>
    public int Columns;

    /// <summary>First byte of the packed form.</summary>
    public byte* To;

    /// <summary>Bytes of a packed tile.</summary>
    public nint TileBytes;

    /// <summary>Tile of item 0.</summary>
    public int First;

    /// <inheritdoc/>
    public readonly void Execute(int item, int worker)
    {
        int tile = First + item;
        int rows = Math.Min(PackedMatrix.TileRows, Rows - (tile * PackedMatrix.TileRows));
        byte* source = Source + ((nint)tile * PackedMatrix.TileRows * Stride);
        byte* to = To + (tile * TileBytes);
        switch (PackedMatrix.LayoutOf(Type))
        {
            case PackedLayout.Integer:
                var pack = new PackIntegers { Source = source, Stride = Stride, Rows = rows, Columns = Columns, To = to };
                IntegerForms.Visit(Type, ref pack);
                break;
            case PackedLayout.Rows:
                nint bytes = (nint)Type.RowBytes(Columns);
                for (int r = 0; r < rows; r++)
                {
                    Buffer.MemoryCopy(source + (r * Stride), to + (r * bytes), bytes, bytes);
                }

                new Span<byte>(to + (rows * bytes), checked((int)((PackedMatrix.TileRows - rows) * bytes))).Clear();
                break;
            default:
                FloatPacker.Pack(Type, source, Stride, rows, Columns, to);
                break;
        }
    }

    private struct PackIntegers : IFormVisitor
    {
        public byte* Source;
        public nint Stride;
        public int Rows;
        public int Columns;
        public byte* To;

        public readonly void Visit<TForm>()
            where TForm : struct, IIntegerForm => IntegerPacker.Pack<TForm>(Source, Stride, Rows, Columns / IntegerLayout<TForm>.Values, To);
    }
}
