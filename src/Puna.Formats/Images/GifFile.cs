using System.Buffers.Binary;
using Puna.Tensors;

namespace Puna.Formats.Images;

/// <summary>The blocks of a GIF (CompuServe's GIF89a specification), walked and checked before anything is decoded. Bytes between blocks that begin none are skipped, as Pillow does.</summary>
internal sealed class GifFile
{
    private readonly byte[] _bytes;
    private readonly string _path;
    private readonly List<GifFrame> _frames = [];
    private int _at = 6;

    private GifFile(byte[] bytes, string path) => (_bytes, _path) = (bytes, path);

    /// <summary>Columns of the screen, widened to what frames need.</summary>
    public int Width { get; private set; }

    /// <summary>Rows of the screen, widened to what frames need.</summary>
    public int Height { get; private set; }

    /// <summary>The index of the screen's background.</summary>
    public int Background { get; private set; }

    /// <summary>The frames, at least one.</summary>
    public IReadOnlyList<GifFrame> Frames => _frames;

    /// <summary>Walks over the blocks.</summary>
    /// <param name="bytes">The file.</param>
    /// <param name="path">What to call it in messages.</param>
    /// <param name="limits">What it may ask for.</param>
    /// <param name="mostFrames">Frames to look for.</param>
    public static GifFile Read(byte[] bytes, string path, ImageLimits limits, int mostFrames)
    {
        var file = new GifFile(bytes, path);
        file.Read(limits, mostFrames);
        return file;
    }

    /// <summary>The codes of a frame.</summary>
    public byte[] Codes(GifFrame frame)
    {
        _at = frame.DataAt;
        return Blocks(keep: true);
    }

    private void Read(ImageLimits limits, int mostFrames)
    {
        (Width, Height) = (Short(), Short());
        int flags = Byte();
        Background = Byte();
        _at++;
        byte[] global = (flags & 0x80) != 0 ? Take(3 << ((flags & 7) + 1)).ToArray() : [];
        int transparent = -1, disposal = 0;
        while (_frames.Count < mostFrames && (_frames.Count == 0 || _at < _bytes.Length))
        {
            switch (Byte())
            {
                case 0x21:
                    int label = Byte();
                    byte[] extension = Blocks(keep: label == 0xF9);
                    if (label == 0xF9 && extension.Length >= 4)
                    {
                        transparent = (extension[0] & 1) != 0 ? extension[3] : transparent;
                        disposal = (extension[0] >> 2) & 7;
                    }

                    break;
                case 0x2C:
                    _frames.Add(Frame(global, transparent, disposal, limits));
                    ImageLimits.CheckFrames(_path, _frames.Count);
                    (transparent, disposal) = (-1, 0);
                    if (mostFrames > 1)
                    {
                        _ = Blocks(keep: false);
                    }

                    break;
                case 0x3B:
                    if (_frames.Count == 0)
                    {
                        throw new FileFormatException(_path, "gif: expected a picture before the end, got none", _at - 1);
                    }

                    return;
            }
        }
    }

    private GifFrame Frame(byte[] global, int transparent, int disposal, ImageLimits limits)
    {
        int start = _at;
        (int left, int top, int width, int height) = (Short(), Short(), Short(), Short());
        int flags = Byte();
        byte[] table = (flags & 0x80) != 0 ? Take(3 << ((flags & 7) + 1)).ToArray() : global;
        (Width, Height) = (Math.Max(Width, left + width), Math.Max(Height, top + height));
        limits.Check(_path, "gif", Width, Height, 6);
        limits.Check(_path, "gif frame", width, height, start);
        int codeBits = Byte();
        if (codeBits is < 1 or > 8)
        {
            throw new FileFormatException(_path, $"gif code size: expected 1 to 8, got {codeBits}", _at - 1);
        }

        return new GifFrame(left, top, width, height)
        {
            IsInterlaced = (flags & 0x40) != 0, Table = table, Transparent = transparent, Disposal = disposal, CodeBits = codeBits, DataAt = _at,
        };
    }

    private int Byte() => Take(1)[0];

    private int Short() => BinaryPrimitives.ReadUInt16LittleEndian(Take(2));

    private ReadOnlySpan<byte> Take(int count)
    {
        if (count > _bytes.Length - _at)
        {
            throw new FileFormatException(_path, $"gif: expected {count} more bytes, got {Math.Max(0, _bytes.Length - _at)}", _at);
        }

        ReadOnlySpan<byte> taken = _bytes.AsSpan(_at, count);
        _at += count;
        return taken;
    }

    /// <summary>Blocks of up to 255 bytes, each behind its length, up to one of length 0.</summary>
    private byte[] Blocks(bool keep)
    {
        using var all = new MemoryStream();
        for (int length = Byte(); length > 0; length = Byte())
        {
            ReadOnlySpan<byte> block = Take(length);
            if (keep)
            {
                all.Write(block);
            }
        }

        return all.ToArray();
    }
}
