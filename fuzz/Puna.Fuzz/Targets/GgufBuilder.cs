using System.Text;
using Puna.Formats.Gguf;

namespace Puna.Fuzz.Targets;

/// <summary>
/// Builds random GGUF files that are right but for a few lies about types, counts, lengths, sizes and offsets. Written apart from the project's own writer,
/// whose guards would be in the way.
/// </summary>
internal sealed class GgufBuilder
{
    // id, values and bytes of a block: facts of the format, spelled out here so as not to repeat a mistake of the reader's table.
    private static readonly (uint Id, int Values, int Bytes)[] _types =
    [
        (0, 1, 4), (1, 1, 2), (30, 1, 2), (24, 1, 1), (2, 32, 18), (8, 32, 34), (12, 256, 144), (39, 32, 17), (40, 64, 36),
    ];

    private readonly FuzzRandom _random;
    private readonly MemoryStream _stream = new();
    private readonly BinaryWriter _writer;
    private int _lies;

    private GgufBuilder(FuzzRandom random, int lies)
    {
        _random = random;
        _lies = lies;
        _writer = new BinaryWriter(_stream);
    }

    /// <summary>A file with at most <paramref name="lies"/> lies.</summary>
    public static byte[] Build(FuzzRandom random, int lies) => new GgufBuilder(random, lies).Build();

    private byte[] Build()
    {
        int tensors = _random.Below(5);
        int values = _random.Below(7);
        int alignment = _random.Pick(0, 0, 8, 32, 64);
        _writer.Write("GGUF"u8);
        _writer.Write((uint)Lie(_random.Pick<ulong>(2, 3), 40));
        _writer.Write(Lie((ulong)tensors));
        _writer.Write(Lie((ulong)(values + (alignment > 0 ? 1 : 0))));
        if (alignment > 0)
        {
            Text("general.alignment");
            _writer.Write(Lie32((uint)GgufValueType.UInt32));
            _writer.Write(Lie32((uint)alignment));
        }

        for (int i = 0; i < values; i++)
        {
            Text(_lies > 0 && _random.OneIn(30) ? "general.alignment" : $"key.{i}");
            WriteTyped(0);
        }

        byte[] data = Tensors(tensors, alignment > 0 ? alignment : 32);
        while (_stream.Length % (alignment > 0 ? alignment : 32) != 0)
        {
            _writer.Write((byte)0);
        }

        _writer.Write(data);
        _writer.Flush();
        return _stream.ToArray();
    }

    private void WriteTyped(int depth)
    {
        uint type = (uint)_random.Below(depth > 8 ? 9 : 13);
        type = type == 9 || !_random.OneIn(4) ? type : 9;
        _writer.Write(Lie32(type));
        Value(type, depth);
    }

    private void Value(uint type, int depth)
    {
        switch (type)
        {
            case 0 or 1:
                _writer.Write((byte)_random.Next());
                break;
            case 7:
                _writer.Write((byte)Lie((ulong)_random.Below(2)));
                break;
            case 2 or 3:
                _writer.Write((ushort)_random.Next());
                break;
            case 4 or 5 or 6:
                _writer.Write((uint)_random.Next());
                break;
            case 8:
                Text(_random.OneIn(2) ? "grüße 🦙" : new string('x', _random.Below(40)));
                break;
            case 9:
                uint element = (uint)_random.Below(13);
                int count = _random.Below(depth < 2 ? 5 : 2);
                _writer.Write(Lie32(element));
                _writer.Write(Lie((ulong)count));
                for (int i = 0; i < count; i++)
                {
                    Value(element, depth + 1);
                }

                break;
            default:
                _writer.Write(_random.Next());
                break;
        }
    }

    private byte[] Tensors(int count, int alignment)
    {
        int at = 0;
        for (int i = 0; i < count; i++)
        {
            (uint id, int values, int bytes) = _random.Pick<(uint, int, int)>(_types);
            int rank = _random.Below(5);
            int length = bytes;
            Text(_lies > 0 && _random.OneIn(20) ? "t.0" : $"t.{i}");
            _writer.Write(Lie32((uint)rank));
            for (int d = 0; d < rank; d++)
            {
                int size = _random.Below(4);
                _writer.Write(Lie((ulong)(d == 0 ? size * values : size)));
                length *= size;
            }

            if (rank == 0 && values > 1)
            {
                id = 0;
                length = 4;
            }

            _writer.Write(Lie32(id));
            _writer.Write(Lie((ulong)at));
            at += (length + alignment - 1) / alignment * alignment;
        }

        return new byte[(int)Math.Min(Lie((ulong)at, 20), 1 << 14)];
    }

    private void Text(string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        if (_lies > 0 && bytes.Length > 0 && _random.OneIn(60))
        {
            bytes[_random.Below(bytes.Length)] = 0xFF;
            _lies--;
        }

        _writer.Write(Lie((ulong)bytes.Length));
        _writer.Write(bytes);
    }

    private uint Lie32(uint truth) => (uint)Lie(truth);

    private ulong Lie(ulong truth, int oneIn = 12)
    {
        if (_lies == 0 || !_random.OneIn(oneIn))
        {
            return truth;
        }

        _lies--;
        return _random.Interesting(truth);
    }
}
