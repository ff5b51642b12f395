using System.Buffers;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Puna.Text.Merging;

/// <summary>
/// Byte pair merging: joins the adjacent pair of least rank, the leftmost of equals, until no pair has a rank. Short pieces are searched from end to end
/// for each merge; long ones keep a heap of pairs over a linked list, so that n symbols take n log n steps however they merge.
/// </summary>
internal static class BpeMerger
{
    /// <summary>Rank of a pair that is never joined.</summary>
    public const int Never = int.MaxValue;

    /// <summary>The number of symbols up to which searching is faster than a heap, and the bits of the mask of those that are left.</summary>
    private const int Short = 64;

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

    // Symbols stay in their places and one bit per place says which are left, so that a merge moves nothing.
    private static int MergeShort<TRule>(TRule rule, ReadOnlySpan<byte> text, Span<int> starts, Span<int> symbols)
        where TRule : struct, IMergeRule
    {
        int count = symbols.Length;
        if (count < 2)
        {
            return count;
        }

        Span<int> ranks = stackalloc int[Short];
        Span<int> merged = stackalloc int[Short];
        ranks = ranks[..((count + 7) & ~7)];
        ranks[(count - 1)..].Fill(Never);
        for (int i = 0; i + 1 < count; i++)
        {
            ranks[i] = Rank(rule, text, starts[i], starts[i + 1], starts[i + 2], symbols[i], symbols[i + 1], out merged[i]);
        }

        ulong left = ulong.MaxValue >> (64 - count);
        while (true)
        {
            int at = FirstOfLeast(ranks);
            if (ranks[at] == Never)
            {
                break;
            }

            symbols[at] = merged[at];
            ulong behind = left & (ulong.MaxValue << at << 1);
            ranks[BitOperations.TrailingZeroCount(behind)] = Never;
            left ^= behind & (0 - behind);
            behind &= behind - 1;
            int next = behind != 0 ? BitOperations.TrailingZeroCount(behind) : count;
            if (next < count)
            {
                behind &= behind - 1;
                int end = behind != 0 ? BitOperations.TrailingZeroCount(behind) : count;
                ranks[at] = Rank(rule, text, starts[at], starts[next], starts[end], symbols[at], symbols[next], out merged[at]);
            }
            else
            {
                ranks[at] = Never;
            }

            ulong before = left & ((1UL << at) - 1);
            if (before != 0)
            {
                int previous = BitOperations.Log2(before);
                ranks[previous] = Rank(rule, text, starts[previous], starts[at], starts[next], symbols[previous], symbols[at], out merged[previous]);
            }
        }

        int kept = 0;
        for (; left != 0; left &= left - 1)
        {
            int i = BitOperations.TrailingZeroCount(left);
            symbols[kept] = symbols[i];
            starts[kept++] = starts[i];
        }

        starts[kept] = starts[count];
        return kept;
    }

    /// <summary>Where the least of a multiple of eight numbers is, the first of equals.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int FirstOfLeast(ReadOnlySpan<int> numbers)
    {
        Vector256<int> least = Vector256.Create(numbers);
        for (int i = 8; i < numbers.Length; i += 8)
        {
            least = Vector256.Min(least, Vector256.Create(numbers[i..]));
        }

        Vector128<int> four = Vector128.Min(least.GetLower(), least.GetUpper());
        four = Vector128.Min(four, Vector128.Shuffle(four, Vector128.Create(2, 3, 0, 1)));
        four = Vector128.Min(four, Vector128.Shuffle(four, Vector128.Create(1, 0, 3, 2)));
        Vector256<int> wanted = Vector256.Create(four, four);
        for (int i = 0; ; i += 8)
        {
            uint equal = Vector256.Equals(wanted, Vector256.Create(numbers[i..])).ExtractMostSignificantBits();
            if (equal != 0)
            {
                return i + BitOperations.TrailingZeroCount(equal);
            }
        }
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
