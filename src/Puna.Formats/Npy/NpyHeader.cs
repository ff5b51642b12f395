using System.Buffers.Text;
using System.Text;
using Puna.Tensors;

namespace Puna.Formats.Npy;

/// <summary>The Python dictionary at the start of a <c>.npy</c> file. Only the three keys it must have, and only values of their kind, are
/// understood.</summary>
internal ref struct NpyHeader
{
    private readonly ReadOnlySpan<byte> _text;
    private readonly string _path;
    private readonly int _start;
    private int _at;

    private NpyHeader(ReadOnlySpan<byte> text, string path, int start)
    {
        _text = text;
        _path = path;
        _start = start;
        _at = 0;
        DType = default;
        Rank = 0;
    }

    /// <summary>Type of the values.</summary>
    public DType DType { get; private set; }

    /// <summary>Number of sizes.</summary>
    public int Rank { get; private set; }

    /// <summary>Reads the dictionary.</summary>
    /// <param name="text">Its text, padding included.</param>
    /// <param name="path">Path of the file, for messages.</param>
    /// <param name="start">Where the text begins in the file.</param>
    /// <param name="sizes">Gets the shape, outermost first.</param>
    public static NpyHeader Parse(ReadOnlySpan<byte> text, string path, int start, scoped Span<long> sizes)
    {
        var header = new NpyHeader(text, path, start);
        header.Read(sizes);
        return header;
    }

    private void Read(scoped Span<long> sizes)
    {
        bool hasType = false;
        bool hasOrder = false;
        bool hasShape = false;
        bool fortran = false;
        Expect('{');
        while (!Accept('}'))
        {
            string key = Quoted();
            Expect(':');
            switch (key)
            {
                case "descr" when !hasType:
                    hasType = true;
                    ReadType();
                    break;
                case "fortran_order" when !hasOrder:
                    hasOrder = true;
                    fortran = Truth();
                    break;
                case "shape" when !hasShape:
                    hasShape = true;
                    ReadShape(sizes);
                    break;
                default:
                    throw Wrong($"expected one each of descr, fortran_order and shape, got {key}");
            }

            if (!Accept(','))
            {
                Expect('}');
                break;
            }
        }

        SkipSpace();
        if (_at != _text.Length)
        {
            throw Wrong("expected nothing behind the dictionary");
        }

        if (!hasType || !hasOrder || !hasShape)
        {
            throw Wrong("expected descr, fortran_order and shape");
        }

        if (fortran && Rank > 1)
        {
            throw Wrong("expected C order, got fortran_order: True");
        }
    }

    private void ReadType()
    {
        string type = Quoted();
        DType = type switch
        {
            "<f4" => DType.F32,
            "<f2" => DType.F16,
            "<f8" => DType.F64,
            "<i8" => DType.I64,
            "<i4" => DType.I32,
            "<i2" => DType.I16,
            "|i1" => DType.I8,
            "|u1" => DType.U8,
            "|b1" => DType.Bool,
            _ => throw Wrong($"expected a little-endian number type such as <f4, got {type}"),
        };
    }

    private void ReadShape(scoped Span<long> sizes)
    {
        Expect('(');
        while (!Accept(')'))
        {
            SkipSpace();
            if (_at >= _text.Length || _text[_at] is < (byte)'0' or > (byte)'9' || !Utf8Parser.TryParse(_text[_at..], out long size, out int used))
            {
                throw Wrong("expected a tuple of sizes");
            }

            if (Rank == sizes.Length)
            {
                throw Wrong($"expected at most {sizes.Length} dimensions");
            }

            _at += used;
            sizes[Rank++] = size;
            if (!Accept(','))
            {
                Expect(')');
                break;
            }
        }
    }

    private bool Truth()
    {
        SkipSpace();
        foreach ((string word, bool value) in (ReadOnlySpan<(string, bool)>)[("False", false), ("True", true)])
        {
            if (_text.Length - _at >= word.Length && Encoding.ASCII.GetString(_text.Slice(_at, word.Length)) == word)
            {
                _at += word.Length;
                return value;
            }
        }

        throw Wrong("expected True or False");
    }

    private string Quoted()
    {
        SkipSpace();
        if (_at < _text.Length && _text[_at] is (byte)'\'' or (byte)'"')
        {
            int length = _text[(_at + 1)..].IndexOf(_text[_at]);
            if (length is >= 0 and <= 32)
            {
                string result = Encoding.ASCII.GetString(_text.Slice(_at + 1, length));
                _at += length + 2;
                return result;
            }
        }

        throw Wrong("expected a short text in quotes");
    }

    private bool Accept(char letter)
    {
        SkipSpace();
        bool found = _at < _text.Length && _text[_at] == letter;
        _at += found ? 1 : 0;
        return found;
    }

    private void Expect(char letter)
    {
        if (!Accept(letter))
        {
            throw Wrong($"expected '{letter}'");
        }
    }

    private void SkipSpace()
    {
        while (_at < _text.Length && _text[_at] is (byte)' ' or (byte)'\n')
        {
            _at++;
        }
    }

    private readonly FileFormatException Wrong(string message) => new(_path, $"npy header: {message}", _start + _at);
}
