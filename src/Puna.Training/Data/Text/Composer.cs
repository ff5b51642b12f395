using System.Text;

namespace Puna.Training.Data;

/// <summary>
/// Unicode normalization form C (Unicode Standard Annex 15): decompose canonically, order combining marks, compose. Written out because programs without ICU, as this one, get no normalization
/// from .NET.
/// </summary>
internal static class Composer
{
    // Below this every character is its own normal form and combines with nothing before it.
    private const int FirstOfInterest = 0x300;

    // Hangul syllables are arithmetic (Unicode Standard 3.12).
    private const int SBase = 0xAC00, LBase = 0x1100, VBase = 0x1161, TBase = 0x11A7, LCount = 19, VCount = 21, TCount = 28, SCount = LCount * VCount * TCount;

    private static readonly Dictionary<int, (int First, int Second)> _decompositions = [];
    private static readonly Dictionary<long, int> _compositions = [];
    private static readonly Dictionary<int, byte> _classes = [];

    static Composer()
    {
        byte[] table = Convert.FromBase64String(UnicodeTables.Decompositions);
        int at = 0, character = 0;
        while (at < table.Length)
        {
            int head = Number(table, ref at);
            character += head >> 2;
            int first = Number(table, ref at);
            int second = (head & 1) != 0 ? Number(table, ref at) : -1;
            _decompositions[character] = (first, second);
            if ((head & 2) != 0)
            {
                _compositions[((long)first << 32) | (uint)second] = character;
            }
        }

        table = Convert.FromBase64String(UnicodeTables.CombiningClasses);
        for (at = 0, character = 0; at < table.Length;)
        {
            character += Number(table, ref at);
            int length = Number(table, ref at);
            byte combiningClass = (byte)Number(table, ref at);
            for (int i = 0; i < length; i++)
            {
                _classes[character + i] = combiningClass;
            }
        }
    }

    /// <summary>The text in normalization form C. A lone surrogate becomes U+FFFD where anything has to be done.</summary>
    public static string Compose(string text)
    {
        int first = text.AsSpan().IndexOfAnyExceptInRange('\0', (char)(FirstOfInterest - 1));
        if (first < 0)
        {
            return text;
        }

        // The character before may combine with this one.
        first = Math.Max(0, first - 1);
        var points = new List<int>(text.Length - first + 16);
        foreach (Rune rune in text.AsSpan(first).EnumerateRunes())
        {
            Decompose(rune.Value, points);
        }

        Order(points);
        Combine(points);
        var result = new StringBuilder(text.Length);
        result.Append(text, 0, first);
        Span<char> units = stackalloc char[2];
        foreach (int point in points)
        {
            result.Append(units[..new Rune(point).EncodeToUtf16(units)]);
        }

        return result.ToString();
    }

    private static void Decompose(int point, List<int> points)
    {
        if (point < 0xC0)
        {
            points.Add(point);
        }
        else if ((uint)(point - SBase) < SCount)
        {
            int index = point - SBase;
            points.Add(LBase + (index / (VCount * TCount)));
            points.Add(VBase + (index % (VCount * TCount) / TCount));
            if (index % TCount != 0)
            {
                points.Add(TBase + (index % TCount));
            }
        }
        else if (_decompositions.TryGetValue(point, out (int First, int Second) parts))
        {
            Decompose(parts.First, points);
            if (parts.Second >= 0)
            {
                Decompose(parts.Second, points);
            }
        }
        else
        {
            points.Add(point);
        }
    }

    /// <summary>Orders runs of marks by class; marks of one class keep their order.</summary>
    private static void Order(List<int> points)
    {
        for (int start = 0; start < points.Count; start++)
        {
            if (Class(points[start]) == 0)
            {
                continue;
            }

            int end = start + 1;
            while (end < points.Count && Class(points[end]) != 0)
            {
                end++;
            }

            if (end - start > 1)
            {
                // Stable, and n log n: a text of nothing but marks must not cost n squared.
                var run = new (byte Class, int Index, int Point)[end - start];
                for (int i = 0; i < run.Length; i++)
                {
                    run[i] = (Class(points[start + i]), i, points[start + i]);
                }

                Array.Sort(run);
                for (int i = 0; i < run.Length; i++)
                {
                    points[start + i] = run[i].Point;
                }
            }

            start = end;
        }
    }

    private static void Combine(List<int> points)
    {
        int starter = -1, kept = 0;
        byte last = 0;
        for (int i = 0; i < points.Count; i++)
        {
            int point = points[i];
            byte combiningClass = Class(point);

            // A mark is blocked by one of its own class or a higher one between it and the starter, and a starter by anything.
            bool near = starter >= 0 && (kept - 1 == starter || (last != 0 && last < combiningClass));
            if (near && Pair(points[starter], point) is int composed and >= 0)
            {
                points[starter] = composed;
                continue;
            }

            if (combiningClass == 0)
            {
                starter = kept;
            }

            last = combiningClass;
            points[kept++] = point;
        }

        points.RemoveRange(kept, points.Count - kept);
    }

    private static int Pair(int first, int second)
    {
        if ((uint)(first - LBase) < LCount && (uint)(second - VBase) < VCount)
        {
            return SBase + ((((first - LBase) * VCount) + second - VBase) * TCount);
        }

        if ((uint)(first - SBase) < SCount && (first - SBase) % TCount == 0 && second > TBase && second < TBase + TCount)
        {
            return first + second - TBase;
        }

        return second >= FirstOfInterest && _compositions.TryGetValue(((long)first << 32) | (uint)second, out int composed) ? composed : -1;
    }

    private static byte Class(int point) => point < FirstOfInterest ? (byte)0 : _classes.GetValueOrDefault(point);

    private static int Number(byte[] table, ref int at)
    {
        int value = 0;
        for (int shift = 0; ; shift += 7)
        {
            byte b = table[at++];
            value |= (b & 127) << shift;
            if (b < 128)
            {
                return value;
            }
        }
    }
}
