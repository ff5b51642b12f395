using System.Buffers;
using System.Text;

namespace Puna.Text.Vocabularies;

/// <summary>Finds given strings in a text, from left to right, the longest that starts at a place.</summary>
internal sealed class SpecialMatcher
{
    private readonly byte[][] _tokens;
    private readonly string[] _names;
    private readonly int[] _ids;
    private readonly bool[] _always;
    private readonly bool _anyAlways;
    private readonly SearchValues<byte> _first;

    /// <summary>Creates a matcher for strings that are also the names by which they are allowed.</summary>
    public SpecialMatcher(IEnumerable<KeyValuePair<string, int>> tokens)
        : this(tokens.Select(static t => new Entry(t.Key, t.Value, t.Key, false)))
    {
    }

    /// <summary>Creates a matcher; of equal strings the first counts, and empty ones are left out.</summary>
    public SpecialMatcher(IEnumerable<Entry> entries)
    {
        var sorted = new SortedDictionary<byte[], Entry>(Comparer<byte[]>.Create(static (a, b) => a.AsSpan().SequenceCompareTo(b)));
        foreach (Entry entry in entries)
        {
            if (entry.Text.Length > 0)
            {
                sorted.TryAdd(Encoding.UTF8.GetBytes(entry.Text), entry);
            }
        }

        _tokens = [.. sorted.Keys];
        _names = [.. sorted.Values.Select(static e => e.Name)];
        _ids = [.. sorted.Values.Select(static e => e.Id)];
        _always = [.. sorted.Values.Select(static e => e.Always)];
        _anyAlways = _always.Contains(true);
        _first = SearchValues.Create([.. _tokens.Select(static t => t[0]).Distinct()]);
    }

    /// <summary>How many strings there are.</summary>
    public int Count => _tokens.Length;

    /// <summary>The id of a string, or -1.</summary>
    public int IdOf(ReadOnlySpan<byte> token)
    {
        int found = Longest(token, 0, SpecialTokens.All, out int length);
        return length == token.Length ? found : -1;
    }

    /// <summary>The next of the allowed strings at or after <paramref name="at"/>.</summary>
    /// <returns>Its id, or -1 where there is none; <paramref name="start"/> is then the end of the text.</returns>
    public int Next(ReadOnlySpan<byte> text, int at, SpecialTokens allowed, out int start, out int length)
    {
        if (_tokens.Length > 0 && (_anyAlways || !allowed.IsNone))
        {
            while (true)
            {
                int step = text[at..].IndexOfAny(_first);
                if (step < 0)
                {
                    break;
                }

                int id = Longest(text, at + step, allowed, out length);
                if (id >= 0)
                {
                    start = at + step;
                    return id;
                }

                at += step + 1;
            }
        }

        start = text.Length;
        length = 0;
        return -1;
    }

    /// <summary>The longest allowed string that starts at <paramref name="at"/>: its id, or -1.</summary>
    public int Longest(ReadOnlySpan<byte> text, int at, SpecialTokens allowed, out int length)
    {
        int low = 0, high = _tokens.Length, found = -1;
        length = 0;
        for (int depth = 0; low < high; depth++)
        {
            // The strings in [low, high) agree with the text so far; one that ends here sorts first.
            if (_tokens[low].Length == depth)
            {
                if (_always[low] || allowed.Allows(_names[low]))
                {
                    found = _ids[low];
                    length = depth;
                }

                low++;
            }

            if (at + depth >= text.Length)
            {
                break;
            }

            int next = text[at + depth];
            low = LowerBound(low, high, depth, next);
            high = LowerBound(low, high, depth, next + 1);
        }

        return found;
    }

    private int LowerBound(int low, int high, int depth, int value)
    {
        while (low < high)
        {
            int middle = (low + high) >> 1;
            if (_tokens[middle][depth] < value)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low;
    }

    /// <summary>A string to find.</summary>
    /// <param name="Text">The string.</param>
    /// <param name="Id">Its id.</param>
    /// <param name="Name">The name by which <see cref="SpecialTokens"/> knows it.</param>
    /// <param name="Always">Whether it is found whatever is allowed.</param>
    internal readonly record struct Entry(string Text, int Id, string Name, bool Always);
}
