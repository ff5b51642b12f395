using System.Runtime.CompilerServices;

namespace Puna.Tensors.Kernels.Cpu.Products;

/// <summary>Takes pairs of codes out of the planes of <see cref="IIntegerForm"/>, for as many rows as a vector has lanes.</summary>
internal static unsafe class IntegerCodes<TForm, TSimd, I, F>
    where TForm : struct, IIntegerForm
    where TSimd : struct, IPairSimd<I, F>
    where I : unmanaged
    where F : unmanaged
{
    /// <summary>The four pairs of group 2 <paramref name="half"/> + <paramref name="odd"/>, the zero not subtracted.</summary>
    /// <param name="codes">Codes of 32 inputs, at the first of the vector's rows.</param>
    /// <param name="half">0 or 1.</param>
    /// <param name="odd">0 or 1; a constant, so that shifts are constants too.</param>
    /// <param name="p0">First pair of the first sixteen inputs.</param>
    /// <param name="p1">First pair of the others.</param>
    /// <param name="p2">Second pair of the first sixteen inputs.</param>
    /// <param name="p3">Second pair of the others.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Pairs(byte* codes, int half, int odd, out I p0, out I p1, out I p2, out I p3)
    {
        if (IntegerLayout<TForm>.Eight)
        {
            I first = TSimd.Load(codes + (128 * half) + (64 * odd));
            I second = TSimd.Load(codes + (128 * half) + (64 * odd) + 256);
            p0 = TSimd.ShiftRightSigned16(TSimd.ShiftLeft16(first, 8), 8);
            p1 = TSimd.ShiftRightSigned16(TSimd.ShiftLeft16(second, 8), 8);
            p2 = TSimd.ShiftRightSigned16(first, 8);
            p3 = TSimd.ShiftRightSigned16(second, 8);
            return;
        }

        if (IntegerLayout<TForm>.Four)
        {
            I word = TSimd.Load(codes + (128 * half) + (64 * odd));
            I mask = TSimd.Splat(0x000F_000F);
            p0 = TSimd.And(word, mask);
            p1 = TSimd.And(TSimd.ShiftRight16(word, 4), mask);
            p2 = TSimd.And(TSimd.ShiftRight16(word, 8), mask);
            p3 = TSimd.ShiftRight16(word, 12);
        }
        else
        {
            p0 = p1 = p2 = p3 = TSimd.Splat(0);
        }

        if (IntegerLayout<TForm>.Two)
        {
            // Moved to their place in the code while they are taken out.
            I word = TSimd.Load(codes + IntegerLayout<TForm>.TwoPlane + (64 * half));
            if (IntegerLayout<TForm>.Four)
            {
                I mask = TSimd.Splat(0x0030_0030);
                p0 = TSimd.Or(p0, TSimd.And(odd == 0 ? TSimd.ShiftLeft16(word, 4) : word, mask));
                p1 = TSimd.Or(p1, TSimd.And(odd == 0 ? TSimd.ShiftLeft16(word, 2) : TSimd.ShiftRight16(word, 2), mask));
                p2 = TSimd.Or(p2, TSimd.And(odd == 0 ? TSimd.ShiftRight16(word, 4) : TSimd.ShiftRight16(word, 8), mask));
                p3 = TSimd.Or(p3, TSimd.And(odd == 0 ? TSimd.ShiftRight16(word, 6) : TSimd.ShiftRight16(word, 10), mask));
            }
            else
            {
                I mask = TSimd.Splat(0x0003_0003);
                p0 = TSimd.And(odd == 0 ? word : TSimd.ShiftRight16(word, 4), mask);
                p1 = TSimd.And(odd == 0 ? TSimd.ShiftRight16(word, 2) : TSimd.ShiftRight16(word, 6), mask);
                p2 = TSimd.And(odd == 0 ? TSimd.ShiftRight16(word, 8) : TSimd.ShiftRight16(word, 12), mask);
                p3 = TSimd.And(odd == 0 ? TSimd.ShiftRight16(word, 10) : TSimd.ShiftRight16(word, 14), mask);
            }
        }

        if (IntegerLayout<TForm>.One)
        {
            // The group's bits are then at 0, 1, 8 and 9 of each half word; the code's highest bit is bit 4 or bit 2.
            I word = TSimd.ShiftRight16(TSimd.Load(codes + IntegerLayout<TForm>.OnePlane), (4 * half) + (2 * odd));
            if (IntegerLayout<TForm>.Four)
            {
                I mask = TSimd.Splat(0x0010_0010);
                p0 = TSimd.Or(p0, TSimd.And(TSimd.ShiftLeft16(word, 4), mask));
                p1 = TSimd.Or(p1, TSimd.And(TSimd.ShiftLeft16(word, 3), mask));
                p2 = TSimd.Or(p2, TSimd.And(TSimd.ShiftRight16(word, 4), mask));
                p3 = TSimd.Or(p3, TSimd.And(TSimd.ShiftRight16(word, 5), mask));
            }
            else
            {
                I mask = TSimd.Splat(0x0004_0004);
                p0 = TSimd.Or(p0, TSimd.And(TSimd.ShiftLeft16(word, 2), mask));
                p1 = TSimd.Or(p1, TSimd.And(TSimd.ShiftLeft16(word, 1), mask));
                p2 = TSimd.Or(p2, TSimd.And(TSimd.ShiftRight16(word, 6), mask));
                p3 = TSimd.Or(p3, TSimd.And(TSimd.ShiftRight16(word, 7), mask));
            }
        }
    }

    /// <summary>The scales of a group, one per lane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static I Scales(byte* scales) => IntegerLayout<TForm>.SignedScales ? TSimd.LoadSignedBytes(scales) : TSimd.LoadBytes(scales);
}
