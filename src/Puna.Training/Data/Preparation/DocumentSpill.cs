using System.Buffers.Binary;
using System.Text;

namespace Puna.Training.Data;

/// <summary>Documents that passed the filters, in a temporary file, so that inputs are read and normalised once.</summary>
internal sealed class DocumentSpill : IDisposable
{
    private const int HeadBytes = 12;

    private readonly FileStream _file;
    private byte[] _bytes = new byte[1 << 12];

    public DocumentSpill(string folder) =>
        _file = new FileStream(Path.Combine(folder, "documents"), FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, 1 << 18, FileOptions.DeleteOnClose);

    /// <summary>Documents written.</summary>
    public long Count { get; private set; }

    public void Add(string text, int source, int language)
    {
        int length = Encoding.UTF8.GetByteCount(text);
        Span<byte> head = stackalloc byte[HeadBytes];
        BinaryPrimitives.WriteInt32LittleEndian(head, length);
        BinaryPrimitives.WriteInt32LittleEndian(head[4..], source);
        BinaryPrimitives.WriteInt32LittleEndian(head[8..], language);
        _file.Write(head);
        Reserve(length);
        Encoding.UTF8.GetBytes(text, _bytes);
        _file.Write(_bytes, 0, length);
        Count++;
    }

    /// <summary>All documents, from the first on.</summary>
    public IEnumerable<(long Number, string Text, int Source, int Language)> Read()
    {
        _file.Position = 0;
        byte[] head = new byte[HeadBytes];
        for (long i = 0; i < Count; i++)
        {
            _file.ReadExactly(head);
            int length = BinaryPrimitives.ReadInt32LittleEndian(head);
            Reserve(length);
            _file.ReadExactly(_bytes, 0, length);
            yield return (i, Encoding.UTF8.GetString(_bytes, 0, length), BinaryPrimitives.ReadInt32LittleEndian(head.AsSpan(4)), BinaryPrimitives.ReadInt32LittleEndian(head.AsSpan(8)));
        }
    }

    public void Dispose() => _file.Dispose();

    private void Reserve(int length)
    {
        if (_bytes.Length < length)
        {
            _bytes = new byte[Math.Max(length, 2 * _bytes.Length)];
        }
    }
}
