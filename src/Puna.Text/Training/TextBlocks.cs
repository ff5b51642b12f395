using System.Text.Unicode;
using Puna.Tensors;
using Puna.Text.Splitting;

namespace Puna.Text.Training;

/// <summary>Cuts texts into blocks of about the same size, at places where the words on both sides come out as if there was no cut.</summary>
internal sealed class TextBlocks(ITextSource source, WordSplitter splitter)
{
    /// <summary>Bytes of a block, unless there is no place to cut.</summary>
    public const int Usual = 1 << 20;

    /// <summary>A block without any good place is cut at a character when it has this many bytes.</summary>
    public const int Most = 1 << 25;

    private byte[] _carry = [];
    private bool _open;
    private bool _begins;
    private long _offset;

    /// <summary>Bytes of text so far.</summary>
    public long Bytes { get; private set; }

    /// <summary>Texts so far.</summary>
    public long Texts { get; private set; }

    /// <summary>The next block, or null.</summary>
    /// <exception cref="PunaException">A text cannot be read, or is not UTF-8.</exception>
    public TextBlock? Next()
    {
        var block = new TextBlock { Bytes = new byte[Usual + 16] };
        int at = 0;
        while (at < Usual && (_open || Open()))
        {
            at = Fill(block, at);
        }

        return block.Parts.Count > 0 ? block : null;
    }

    private bool Open()
    {
        if (!source.Next())
        {
            return false;
        }

        (_open, _begins, _offset, _carry) = (true, true, 0, []);
        Texts++;
        return true;
    }

    /// <summary>Adds a part of the current text behind the others.</summary>
    private int Fill(TextBlock block, int at)
    {
        int start = at + 1, end = start + _carry.Length, searched = start;
        Grow(block, end);
        _carry.CopyTo(block.Bytes, start);
        while (true)
        {
            while (end < block.Bytes.Length)
            {
                int length = source.Read(block.Bytes.AsSpan(end));
                Bytes += length;
                end += length;
                if (length == 0)
                {
                    _open = false;
                    Check(block.Bytes.AsSpan(start, end - start));
                    Add(block, start, end, end);
                    return end;
                }
            }

            int whole = WholeCharacters(block.Bytes, start, end);
            Check(block.Bytes.AsSpan(start, whole - start));
            int cut = splitter.Cut(block.Bytes.AsSpan(start, whole - start), searched - start);
            if (cut > 0 || end - start >= Most)
            {
                cut = start + (cut > 0 ? cut : whole - start);
                Add(block, start, cut, end);
                return block.Bytes.Length;
            }

            searched = Math.Max(start, whole - 8);
            Grow(block, block.Bytes.Length * 2);
        }
    }

    private void Add(TextBlock block, int start, int cut, int end)
    {
        if (cut > start)
        {
            block.Parts.Add((start, cut, _begins));
            _begins = splitter.CutBegins(block.Bytes.AsSpan(start, cut - start));
        }

        _carry = block.Bytes.AsSpan(cut, end - cut).ToArray();
        _offset += cut - start;
    }

    private static void Grow(TextBlock block, int length)
    {
        if (block.Bytes.Length < length)
        {
            byte[] larger = new byte[Math.Max(length, Usual + 16)];
            block.Bytes.CopyTo(larger, 0);
            block.Bytes = larger;
        }
    }

    /// <summary>The end without the beginning of a character that is cut off.</summary>
    private static int WholeCharacters(byte[] bytes, int start, int end)
    {
        for (int back = 1; back <= 3 && end - back >= start; back++)
        {
            byte b = bytes[end - back];
            if (b >= 0xC0)
            {
                return Utf8Text.Length(b) > back ? end - back : end;
            }

            if (b < 0x80)
            {
                break;
            }
        }

        return end;
    }

    private void Check(ReadOnlySpan<byte> text)
    {
        if (Utf8.IsValid(text))
        {
            return;
        }

        Span<char> characters = new char[text.Length];
        Utf8.ToUtf16(text, characters, out int read, out _, replaceInvalidSequences: false);
        throw new PunaException($"text {source.Name}: expected UTF-8, got byte 0x{text[read]:X2} (at byte {_offset + read})");
    }
}
