using Puna.Tensors.Kernels.Cpu.Products;

namespace Puna.Tensors;

/// <summary>
/// A weight matrix in the layout that the product kernels read: tiles of 16 rows, so that a vector's lanes are rows and no sum runs across lanes. Holds exactly the
/// values of the type it was made from.
/// </summary>
public sealed class PackedMatrix
{
    /// <summary>Rows of a tile.</summary>
    public const int TileRows = 16;

    /// <summary>Changes whenever the meaning of packed bytes changes, so that a packed form kept on disk is not mistaken for another.</summary>
    public const string Version = "rows16-1";

    /// <summary>Describes packed bytes that lie in a storage.</summary>
    /// <param name="type">Type of the values.</param>
    /// <param name="rows">Rows (outputs).</param>
    /// <param name="columns">Columns (inputs).</param>
    /// <param name="storage">Where the bytes are.</param>
    /// <param name="offset">First byte, a multiple of 64.</param>
    /// <exception cref="PunaException">The storage is too small.</exception>
    public PackedMatrix(DType type, int rows, int columns, Storage storage, nint offset)
    {
        (Type, Rows, Columns, Storage, Offset) = (type, rows, columns, storage, offset);
        Layout = LayoutOf(type);
        TileBytes = BytesOfTile(type, columns);
        ByteLength = Bytes(type, rows, columns);
        if (offset < 0 || offset % 64 != 0 || offset > storage.ByteLength || ByteLength > storage.ByteLength - offset)
        {
            throw new PunaException($"packed matrix [{rows}, {columns}] {type.Name()}: expected {ByteLength} bytes at a multiple of 64, got offset {offset} of {storage.ByteLength}");
        }
    }

    /// <summary>Type of the values.</summary>
    public DType Type { get; }

    /// <summary>Rows (outputs).</summary>
    public int Rows { get; }

    /// <summary>Columns (inputs).</summary>
    public int Columns { get; }

    /// <summary>Where the bytes are.</summary>
    public Storage Storage { get; }

    /// <summary>First byte in <see cref="Storage"/>.</summary>
    public nint Offset { get; }

    /// <summary>How the bytes lie.</summary>
    public PackedLayout Layout { get; }

    /// <summary>Bytes of 16 rows; the last tile is filled up with zeros.</summary>
    public nint TileBytes { get; }

    /// <summary>Bytes of all tiles.</summary>
    public nint ByteLength { get; }

    /// <summary>Number of tiles.</summary>
    public int Tiles => (Rows + TileRows - 1) / TileRows;

    /// <summary>Address of the first byte; keep the storage alive while it is used.</summary>
    public nint Address => Storage.Address + Offset;

    /// <summary>How values of a type lie once packed.</summary>
    public static PackedLayout LayoutOf(DType type) => type switch
    {
        DType.F32 => PackedLayout.Float32,
        DType.F16 or DType.BF16 => PackedLayout.Float16,
        _ when IntegerForms.Supports(type) => PackedLayout.Integer,
        _ => PackedLayout.Rows,
    };

    /// <summary>Bytes of a packed matrix; a multiple of 64.</summary>
    public static nint Bytes(DType type, int rows, int columns) =>
        checked(((((rows + TileRows - 1) / TileRows) * BytesOfTile(type, columns)) + 63) / 64 * 64);

    private static nint BytesOfTile(DType type, int columns) => LayoutOf(type) switch
    {
        PackedLayout.Float32 => checked((nint)columns * TileRows * sizeof(float)),
        PackedLayout.Float16 => checked((nint)((columns + 1) / 2) * TileRows * sizeof(uint)),
        PackedLayout.Integer => checked(columns / IntegerForms.SuperValues(type) * (nint)IntegerForms.TileSuperBytes(type)),
        _ => checked((nint)type.RowBytes(columns) * TileRows),
    };
}
