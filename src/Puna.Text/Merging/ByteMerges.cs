using System.Buffers;
using System.Runtime.InteropServices;

namespace Puna.Text.Merging;

/// <summary>Merging that starts from single bytes.</summary>
internal static class ByteMerges
{
    // Memory of the stack is cleared, which for the usual word would take longer than merging it if there were much of it.
    private const int OnStack = 64;

    /// <summary>Appends the ids of a piece whose bytes all have ids.</summary>
    public static void Append<TRule>(TRule rule, ReadOnlySpan<byte> piece, ReadOnlySpan<int> byteIds, List<int> ids)
        where TRule : struct, IMergeRule
    {
        int[]? rented = null;
        Span<int> space = piece.Length <= OnStack ? stackalloc int[(OnStack * 2) + 1] : (rented = ArrayPool<int>.Shared.Rent(checked((piece.Length * 2) + 1)));
        Span<int> symbols = space[..piece.Length];
        Span<int> starts = space.Slice(piece.Length, piece.Length + 1);
        for (int i = 0; i < piece.Length; i++)
        {
            symbols[i] = byteIds[piece[i]];
            starts[i] = i;
        }

        starts[piece.Length] = piece.Length;
        int count = BpeMerger.Merge(rule, piece, starts, symbols);
        int before = ids.Count;
        CollectionsMarshal.SetCount(ids, before + count);
        symbols[..count].CopyTo(CollectionsMarshal.AsSpan(ids)[before..]);
        if (rented is not null)
        {
            ArrayPool<int>.Shared.Return(rented);
        }
    }
}
