namespace Puna.Tensors;

/// <summary>
/// A handle to rows of values in a <see cref="Tensors.Storage"/>: no data of its own. Rows are contiguous inside and <see cref="RowStride"/> bytes apart.
/// </summary>
/// <param name="Storage">Where the bytes are.</param>
/// <param name="Offset">Bytes from the start of the storage to the first value.</param>
/// <param name="Shape">Sizes, outermost first.</param>
/// <param name="RowStride">Bytes from one row (innermost dimension) to the next.</param>
/// <param name="DType">Type of the values.</param>
public readonly record struct Tensor(Storage Storage, nint Offset, Shape Shape, nint RowStride, DType DType)
{
    /// <summary>A tensor whose rows follow each other without gaps.</summary>
    /// <exception cref="PunaException">The innermost size is not a whole number of blocks.</exception>
    public Tensor(Storage storage, nint offset, Shape shape, DType dtype)
        : this(storage, offset, shape, checked((nint)dtype.RowBytes(shape.Columns)), dtype)
    {
    }

    /// <summary>Product of all dimensions but the innermost.</summary>
    public long Rows => Shape.Rows;

    /// <summary>Size of the innermost dimension.</summary>
    public long Columns => Shape.Columns;

    /// <summary>Bytes from the first to the last value, gaps between rows included.</summary>
    public long ByteLength => Shape.Count == 0 ? 0 : checked(((Rows - 1) * RowStride) + DType.RowBytes(Columns));

    /// <summary>Whether rows follow each other without gaps.</summary>
    public bool IsContiguous => RowStride == DType.RowBytes(Columns) || Rows <= 1;

    /// <summary>Address of the first value; keep the storage alive while it is used.</summary>
    /// <exception cref="ObjectDisposedException">The storage is gone.</exception>
    public nint Address
    {
        get
        {
            nint address = Storage.Address;
            ObjectDisposedException.ThrowIf(address == 0, Storage);
            return address + Offset;
        }
    }

    /// <summary>A new contiguous tensor in memory of its own, zeros.</summary>
    public static Tensor Create(Shape shape, DType dtype = DType.F32) =>
        new(new NativeStorage(checked((nint)(shape.Rows * dtype.RowBytes(shape.Columns)))), 0, shape, dtype);

    /// <summary>A new float32 tensor in memory of its own with these values, in row order.</summary>
    public static Tensor From(ReadOnlySpan<float> values, Shape shape)
    {
        if (values.Length != shape.Count)
        {
            throw new PunaException($"tensor {shape}: expected {shape.Count} values, got {values.Length}");
        }

        Tensor tensor = Create(shape);
        values.CopyTo(tensor.Storage.Span<float>(0, values.Length));
        return tensor;
    }

    /// <summary>The bytes of row <paramref name="row"/>, as <typeparamref name="T"/>: for plain types one element per value, for block types bytes.</summary>
    public Span<T> Row<T>(long row)
        where T : unmanaged
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((ulong)row, (ulong)Rows, nameof(row));
        int count = checked((int)(DType.RowBytes(Columns) / System.Runtime.CompilerServices.Unsafe.SizeOf<T>()));
        return Storage.Span<T>(checked(Offset + ((nint)row * RowStride)), count);
    }

    /// <summary>Rows <c>[first, first + count)</c> as a matrix <c>[count, columns]</c> over the same bytes.</summary>
    public Tensor Slice(long first, long count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, Rows - first);
        return this with { Offset = checked(Offset + ((nint)first * RowStride)), Shape = new Shape(count, Columns) };
    }
}
