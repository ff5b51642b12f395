using System.Buffers;
using System.Runtime.CompilerServices;

namespace Puna.Text.Merging;

/// <summary>
/// Byte pair merging: joins the adjacent pair of least rank, the leftmost of equals, until no pair has a rank. Short pieces are searched from end to end
/// for each merge; long ones keep a heap of pairs over a linked list, so that n symbols take n log n steps however they merge.
/// </summary>
internal static class BpeMerger
{
    /// <summary>Rank of a pair that is never joined.</summary>
    public const int Never = int.MaxValue;

    /// <summary>The number of symbols up to which searching is faster than a heap.</summary>
    private const int Short = 48;

    /// <summary>Merges in place.</summary>
    /// <param name="rule">Ranks of pairs.</param>
    /// <param name="text">The bytes that the symbols cover.</param>
    /// <param name="starts">Where each symbol starts, and the end of the last: <c>symbols.Length + 1</c> offsets; on return the first <c>count + 1</c> are valid.</param>
    /// <param name="symbols">Id of each symbol; on return the first <c>count</c> are valid.</param>
    /// <returns>How many symbols are left.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Merge<TRule>(TRule rule, ReadOnlySpan<byte> text, Span<int> starts, Span<int> symbols)
        where TRule : struct, IMergeRule =>
        symbols.Length <= Short ? MergeShort(rule, text, starts, symbols) : MergeLong(rule, text, starts, symbols);

    private static int MergeShort<TRule>(TRule rule, ReadOnlySpan<byte> text, Span<int> starts, Span<int> symbols)
        where TRule : struct, IMergeRule
    {
        Span<int> ranks = stackalloc int[Short];
        Span<int> merged = stackalloc int[Short];
        int count = symbols.Length;
        for (int i = 0; i + 1 < count; i++)
        {
            ranks[i] = Rank(rule, text, starts[i], starts[i + 1], starts[i + 2], symbols[i], symbols[i + 1], out merged[i]);
        }

        while (count > 1)
        {
            int best = Never, at = -1;
            for (int i = 0; i + 1 < count; i++)
            {
                if (ranks[i] < best)
                {
                    best = ranks[i];
                    at = i;
                }
            }

            if (at < 0)
            {
                break;
            }

            // The symbol at + 1 goes, and with it its start and the rank of the pair it began.
            symbols[at] = merged[at];
            symbols[(at + 2)..count].CopyTo(symbols[(at + 1)..]);
            starts[(at + 2)..(count + 1)].CopyTo(starts[(at + 1)..]);
            if (at + 2 < count)
            {
                ranks[(at + 2)..count].CopyTo(ranks[(at + 1)..]);
                merged[(at + 2)..count].CopyTo(merged[(at + 1)..]);
            }

            count--;
            if (at + 1 < count)
            {
                ranks[at] = Rank(rule, text, starts[at], starts[at + 1], starts[at + 2], symbols[at], symbols[at + 1], out merged[at]);
            }

            if (at > 0)
            {
                ranks[at - 1] = Rank(rule, text, starts[at - 1], starts[at], starts[at + 1], symbols[at - 1], symbols[at], out merged[at - 1]);
            }
        }

        return count;
    }

    /// <summary>As <see cref="Merge"/>, always with a heap: pairs are then asked for in the order of SentencePiece.</summary>
    public static int MergeLong<TRule>(TRule rule, ReadOnlySpan<byte> text, Span<int> starts, Span<int> symbols)
        where TRule : struct, IMergeRule
    {
        int count = symbols.Length;
        int[] next = ArrayPool<int>.Shared.Rent(count + 1);
        int[] previous = ArrayPool<int>.Shared.Rent(count + 1);
        int[] ranks = ArrayPool<int>.Shared.Rent(count);
        int[] merged = ArrayPool<int>.Shared.Rent(count);
        var heap = new PairHeap(count * 2);
        for (int i = 0; i < count; i++)
        {
            next[i] = i + 1;
            previous[i + 1] = i;
            ranks[i] = i + 1 == count ? Never : Rank(rule, text, starts[i], starts[i + 1], starts[i + 2], symbols[i], symbols[i + 1], out merged[i]);
            if (ranks[i] != Never)
            {
                heap.AddUnordered(ranks[i], i);
            }
        }

        previous[0] = -1;
        heap.Order();
        while (heap.TryTake(out int rank, out int at))
        {
            // A pair that has changed since is in the heap under its new rank, if it has one.
            if (ranks[at] != rank)
            {
                continue;
            }

            int gone = next[at], after = next[gone];
            symbols[at] = merged[at];
            next[at] = after;
            previous[after] = at;
            ranks[gone] = Never;

            // In SentencePiece's order: the pair on the left first.
            int before = previous[at];
            if (before >= 0)
            {
                ranks[before] = Rank(rule, text, starts[before], starts[at], starts[after], symbols[before], symbols[at], out merged[before]);
                if (ranks[before] != Never)
                {
                    heap.Add(ranks[before], before);
                }
            }

            ranks[at] = after == count ? Never : Rank(rule, text, starts[at], starts[after], starts[next[after]], symbols[at], symbols[after], out merged[at]);
            if (ranks[at] != Never)
            {
                heap.Add(ranks[at], at);
            }
        }

        int left = 0;
        for (int i = 0; i < count; i = next[i])
        {
            symbols[left] = symbols[i];
            starts[left++] = starts[i];
        }

        starts[left] = starts[count];
        heap.Dispose();
        ArrayPool<int>.Shared.Return(next);
        ArrayPool<int>.Shared.Return(previous);
        ArrayPool<int>.Shared.Return(ranks);
        ArrayPool<int>.Shared.Return(merged);
        return left;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Rank<TRule>(TRule rule, ReadOnlySpan<byte> text, int start, int middle, int end, int left, int right, out int merged)
        where TRule : struct, IMergeRule =>
        rule.Rank(left, right, text[start..end], middle - start, out merged);
}
