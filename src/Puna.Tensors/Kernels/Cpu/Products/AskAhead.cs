using System.Runtime.CompilerServices;

namespace Puna.Tensors.Kernels.Cpu.Products;

/// <summary>
/// The memory that a panel will be filled from next, asked for piece by piece while the panel before it is multiplied, so that few input rows do not wait for memory first and then compute
/// while it rests.
/// </summary>
internal unsafe struct AskAhead
{
    /// <summary>More input rows than these take so much longer than memory that asking ahead gains nothing.</summary>
    public const int MostRows = 32;

    /// <summary>Where the next panel of the first vector's rows comes from.</summary>
    public byte* First;

    /// <summary>Where the next panel of the second vector's rows comes from, where that is another one.</summary>
    public byte* Second;

    /// <summary>Bytes to ask for per 32 inputs, a multiple of 64; 0 for nothing.</summary>
    public int Bytes;

    /// <summary>The same from block <paramref name="blocks"/> on.</summary>
    public readonly AskAhead From(int blocks) => new() { First = First + ((nint)blocks * Bytes), Second = Second + ((nint)blocks * Bytes), Bytes = Bytes };

    /// <summary>Asks for the memory of one block and moves on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Next<TSimd, I, F>()
        where TSimd : struct, IPairSimd<I, F>
        where I : unmanaged
        where F : unmanaged
    {
        for (int line = 0; line < Bytes; line += 64)
        {
            TSimd.Prefetch(First + line);
            if (TSimd.Width == PackedMatrix.TileRows)
            {
                TSimd.Prefetch(Second + line);
            }
        }

        First += Bytes;
        Second += Bytes;
    }
}
