using System.Runtime.CompilerServices;

namespace Puna.Runtime.Constraints.Automata;

/// <summary>Reads code points byte by byte, from UTF-8 and from the body of a JSON string. What has been read of one is a number, 0 between two.</summary>
/// <remarks>
/// Bits 0-3: what is awaited (1 continuation bytes, 2 the character after a backslash, 3 hexadecimal digits, 4 the backslash and 5 the u of a low surrogate).
/// Bits 4-7: bytes awaited or digits read. Bits 8-11: bytes in all. Bits 16-39: the bits so far. Bits 40-55: the high surrogate before.
/// </remarks>
internal static class CharacterDecoder
{
    public const int Dead = -1;
    public const int Pending = -2;

    /// <summary>Reads one byte: returns the code point it completes, or that more are awaited, or that it is not allowed.</summary>
    public static int Read(ref long state, byte b, bool json)
    {
        int acc = (int)(state >> 16) & 0xFFFFFF;
        int count = (int)(state >> 4) & 15;
        int total = (int)(state >> 8) & 15;
        long high = state >> 40;
        switch (state & 15)
        {
            case 0:
                if (b < 0x80)
                {
                    if (!json)
                    {
                        return b;
                    }

                    if (b < 0x20 || b == '"')
                    {
                        return Dead;
                    }

                    if (b != '\\')
                    {
                        return b;
                    }

                    state = 2;
                    return Pending;
                }

                total = b switch { >= 0xC2 and < 0xE0 => 2, >= 0xE0 and < 0xF0 => 3, >= 0xF0 and < 0xF5 => 4, _ => 0 };
                if (total == 0)
                {
                    return Dead;
                }

                state = 1 | ((total - 1L) << 4) | ((long)total << 8) | ((b & (0x7FL >> total)) << 16);
                return Pending;
            case 1:
                if ((b & 0xC0) != 0x80)
                {
                    return Dead;
                }

                acc = (acc << 6) | (b & 0x3F);
                count--;
                int low = acc << (6 * count);
                int top = low | ((1 << (6 * count)) - 1);
                if ((total == 3 && (top < 0x800 || (low >= 0xD800 && top < 0xE000))) || (total == 4 && (top < 0x10000 || low > CodePointDfa.Last)))
                {
                    return Dead;
                }

                if (count == 0)
                {
                    state = 0;
                    return acc;
                }

                state = 1 | ((long)count << 4) | ((long)total << 8) | ((long)acc << 16);
                return Pending;
            case 2:
                state = b == 'u' ? 3 : 0;
                return (char)b switch
                {
                    '"' or '\\' or '/' => b,
                    'b' => '\b',
                    'f' => '\f',
                    'n' => '\n',
                    'r' => '\r',
                    't' => '\t',
                    'u' => Pending,
                    _ => Dead,
                };
            case 3:
                int digit = (char)b switch
                {
                    >= '0' and <= '9' => b - '0',
                    >= 'a' and <= 'f' => b - 'a' + 10,
                    >= 'A' and <= 'F' => b - 'A' + 10,
                    _ => -1,
                };
                acc = (acc << 4) | digit;
                count++;
                int from = acc << (4 * (4 - count));
                int to = from | ((1 << (4 * (4 - count))) - 1);
                bool allowed = high != 0 ? to >= 0xDC00 && from <= 0xDFFF : from < 0xDC00 || to > 0xDFFF;
                if (digit < 0 || !allowed)
                {
                    return Dead;
                }

                if (count < 4)
                {
                    state = 3 | ((long)count << 4) | ((long)acc << 16) | (high << 40);
                    return Pending;
                }

                if (high == 0 && acc is >= 0xD800 and < 0xDC00)
                {
                    state = 4 | ((long)acc << 40);
                    return Pending;
                }

                state = 0;
                return high == 0 ? acc : 0x10000 + (((int)high - 0xD800) << 10) + (acc - 0xDC00);
            case 4:
                state = 5 | (high << 40);
                return b == '\\' ? Pending : Dead;
            default:
                state = 3 | (high << 40);
                return b == 'u' ? Pending : Dead;
        }
    }

    /// <summary>The code points that a started one can still become: up to two ranges, the second (0, -1) where there is one only.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ((int Low, int High) First, (int Low, int High) Second) Ranges(long state)
    {
        int acc = (int)(state >> 16) & 0xFFFFFF;
        int count = (int)(state >> 4) & 15;
        int total = (int)(state >> 8) & 15;
        int high = (int)(state >> 40);
        (int, int) none = (0, -1);
        switch (state & 15)
        {
            case 1:
                int low = acc << (6 * count);
                int top = low | ((1 << (6 * count)) - 1);
                low = Math.Max(low, total == 3 ? 0x800 : total == 4 ? 0x10000 : 0x80);
                top = Math.Min(top, CodePointDfa.Last);
                return low < 0xD800 && top >= 0xD800 ? ((low, 0xD7FF), top > 0xDFFF ? (0xE000, top) : none) : ((low, top), none);
            case 3 when high == 0:
                int from = acc << (4 * (4 - count));
                int to = from | ((1 << (4 * (4 - count))) - 1);
                if (to < 0xD800 || from > 0xDFFF)
                {
                    return ((from, to), none);
                }

                // Half of what the digits may become are surrogates: all that a pair can begin with.
                int firstHigh = Math.Max(from, 0xD800);
                int lastHigh = Math.Min(to, 0xDBFF);
                (int, int) pairs = (0x10000 + ((firstHigh - 0xD800) << 10), 0x10000 + ((lastHigh - 0xD800) << 10) + 0x3FF);
                return count == 0 ? ((0, 0xD7FF), (0xE000, CodePointDfa.Last)) : from < 0xD800 ? ((from, 0xD7FF), pairs) : to > 0xDFFF ? ((0xE000, to), pairs) : (pairs, none);
            case 3 when count > 0:
                int first = Math.Max(acc << (4 * (4 - count)), 0xDC00);
                int last = Math.Min((acc << (4 * (4 - count))) | ((1 << (4 * (4 - count))) - 1), 0xDFFF);
                int zero = 0x10000 + ((high - 0xD800) << 10) - 0xDC00;
                return ((zero + first, zero + last), none);
            case 3 or 4 or 5:
                int start = 0x10000 + ((high - 0xD800) << 10);
                return ((start, start + 0x3FF), none);
            default:
                return ((0, 0xD7FF), (0xE000, CodePointDfa.Last));
        }
    }
}
