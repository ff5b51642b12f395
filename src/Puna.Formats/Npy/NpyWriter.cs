using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Puna.Tensors;

namespace Puna.Formats.Npy;

/// <summary>
/// Writes a float32 array as NumPy's <c>.npy</c>, version 1.0, C order, piece by piece (format: NEP 1 and the documentation of <c>numpy.lib.format</c>).
/// The file appears on <see cref="Complete"/>; <see cref="Dispose"/> without it leaves nothing behind.
/// </summary>
public sealed class NpyWriter : IDisposable
{
    private const int Alignment = 64;
    private const int PrefixBytes = 10;

    private readonly StagedFiles _files = new();
    private readonly FileStream _stream;
    private readonly string _path;
    private long _left;

    /// <summary>Begins a file.</summary>
    /// <param name="path">Its path; replaced if it exists.</param>
    /// <param name="shape">Sizes of the array, outermost first; any rank, a scalar has none.</param>
    /// <exception cref="PunaException">The file cannot be created.</exception>
    public NpyWriter(string path, Shape shape)
    {
        _path = path;
        _left = shape.Count;
        _stream = _files.Create(path);
        _stream.Write(Header(shape));
    }

    /// <summary>Writes the next values, in row order; a row, several, or a part of one.</summary>
    /// <exception cref="InvalidOperationException">More values than the array has left.</exception>
    public void Write(ReadOnlySpan<float> values)
    {
        if (values.Length > _left)
        {
            throw new InvalidOperationException($"array {_path}: expected {_left} more values, got {values.Length}");
        }

        _stream.Write(MemoryMarshal.AsBytes(values));
        _left -= values.Length;
    }

    /// <summary>Ends the file and puts it into place.</summary>
    /// <exception cref="InvalidOperationException">Values are missing.</exception>
    public void Complete()
    {
        if (_left != 0)
        {
            throw new InvalidOperationException($"array {_path}: expected {_left} more values before the file is complete");
        }

        _files.Commit();
    }

    /// <inheritdoc/>
    public void Dispose() => _files.Dispose();

    /// <summary>Writes a whole array.</summary>
    /// <param name="path">The file.</param>
    /// <param name="values">All values, in row order.</param>
    /// <param name="shape">Sizes of the array.</param>
    public static void Write(string path, ReadOnlySpan<float> values, Shape shape)
    {
        using var writer = new NpyWriter(path, shape);
        writer.Write(values);
        writer.Complete();
    }

    private static byte[] Header(Shape shape)
    {
        string sizes = string.Join(", ", shape.ToArray().Select(size => size.ToString(CultureInfo.InvariantCulture)));
        string comma = shape.Rank == 1 ? "," : string.Empty; // a Python tuple of one
        string text = $"{{'descr': '<f4', 'fortran_order': False, 'shape': ({sizes}{comma}), }}";
        int total = (PrefixBytes + text.Length + 1 + Alignment - 1) / Alignment * Alignment;
        byte[] header = new byte[total];
        header.AsSpan().Fill((byte)' ');
        NpyFile.Magic.CopyTo(header);
        header[6] = 1;
        header[7] = 0;
        BinaryPrimitives.WriteUInt16LittleEndian(header.AsSpan(8), checked((ushort)(total - PrefixBytes)));
        Encoding.ASCII.GetBytes(text, header.AsSpan(PrefixBytes));
        header[^1] = (byte)'\n';
        return header;
    }
}
