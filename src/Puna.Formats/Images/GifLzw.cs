namespace Puna.Formats.Images;

/// <summary>GIF's LZW: codes of growing length, lowest bits first, a code that empties the table and one that ends the data (GIF89a specification, appendix F).</summary>
internal static class GifLzw
{
    private const int MostCodes = 4096;

    /// <summary>Decodes until the output is full, the data ends or a code is wrong.</summary>
    /// <param name="data">The codes.</param>
    /// <param name="bits">Bits of an index; codes begin with one more.</param>
    /// <param name="output">Receives the indices.</param>
    /// <returns>How many there are.</returns>
    public static long Decode(ReadOnlySpan<byte> data, int bits, Span<byte> output)
    {
        int clear = 1 << bits;
        Span<short> prefix = stackalloc short[MostCodes];
        Span<byte> last = stackalloc byte[MostCodes];
        Span<byte> text = stackalloc byte[MostCodes];
        int next = clear + 2;
        int width = bits + 1;
        int previous = -1;
        int first = 0;
        int at = 0;
        uint buffer = 0;
        int held = 0;
        int done = 0;
        while (done < output.Length)
        {
            for (; held < width; held += 8)
            {
                if (at == data.Length)
                {
                    return done;
                }

                buffer |= (uint)data[at++] << held;
            }

            int code = (int)(buffer & ((1u << width) - 1));
            buffer >>= width;
            held -= width;
            if (code == clear)
            {
                next = clear + 2;
                width = bits + 1;
                previous = -1;
                continue;
            }

            bool isNew = code == next && previous >= 0 && next < MostCodes;
            if (code == clear + 1 || (code >= next && !isNew) || (previous < 0 && code > clear))
            {
                return done;
            }

            int length = MostCodes;
            if (isNew)
            {
                text[--length] = (byte)first;
            }

            int walk = isNew ? previous : code;
            for (; walk > clear; walk = prefix[walk])
            {
                text[--length] = last[walk];
            }

            first = walk;
            text[--length] = (byte)first;
            int copied = Math.Min(MostCodes - length, output.Length - done);
            text.Slice(length, copied).CopyTo(output[done..]);
            done += copied;
            if (previous >= 0 && next < MostCodes)
            {
                prefix[next] = (short)previous;
                last[next] = (byte)first;
                next++;
                if (next == 1 << width && width < 12)
                {
                    width++;
                }
            }

            previous = code;
        }

        return done;
    }
}
