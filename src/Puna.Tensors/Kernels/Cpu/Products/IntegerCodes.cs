using System.Runtime.CompilerServices;

namespace Puna.Tensors.Kernels.Cpu.Products;

/// <summary>Takes pairs of codes out of the planes of <see cref="IIntegerForm"/>, for as many rows as a vector has lanes.</summary>
internal static unsafe class IntegerCodes<TForm, TSimd, I, F>
    where TForm : struct, IIntegerForm
    where TSimd : struct, IPairSimd<I, F>
    where I : unmanaged
    where F : unmanaged
{
    /// <summary>The four pairs of inputs 8 <paramref name="group"/> to 8 <paramref name="group"/> + 7, the zero not subtracted.</summary>
    /// <param name="codes">Codes of 32 inputs, at the first of the vector's rows.</param>
    /// <param name="group">0 to 3; a constant, so that all shifts are.</param>
    /// <param name="p0">Pair of inputs 0 and 1.</param>
    /// <param name="p1">Pair of inputs 2 and 3.</param>
    /// <param name="p2">Pair of inputs 4 and 5.</param>
    /// <param name="p3">Pair of inputs 6 and 7.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Pairs(byte* codes, int group, out I p0, out I p1, out I p2, out I p3)
    {
        if (TForm.Eight)
        {
            I first = TSimd.Load(codes + (128 * group));
            I second = TSimd.Load(codes + (128 * group) + 64);
            p0 = TSimd.ShiftRightSigned16(TSimd.ShiftLeft16(first, 8), 8);
            p1 = TSimd.ShiftRightSigned16(first, 8);
            p2 = TSimd.ShiftRightSigned16(TSimd.ShiftLeft16(second, 8), 8);
            p3 = TSimd.ShiftRightSigned16(second, 8);
            return;
        }

        if (TForm.Four)
        {
            I word = TSimd.Load(codes + (64 * group));
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

        if (TForm.Two)
        {
            // The upper eight bits of each half belong to the odd group; the bits are moved to their place in the code while they are taken out.
            I word = TSimd.Load(codes + IntegerLayout<TForm>.TwoPlane + (64 * (group / 2)));
            if (group % 2 == 1)
            {
                word = TSimd.ShiftRight16(word, 8);
            }

            if (TForm.Four)
            {
                I mask = TSimd.Splat(0x0030_0030);
                p0 = TSimd.Or(p0, TSimd.And(TSimd.ShiftLeft16(word, 4), mask));
                p1 = TSimd.Or(p1, TSimd.And(TSimd.ShiftLeft16(word, 2), mask));
                p2 = TSimd.Or(p2, TSimd.And(word, mask));
                p3 = TSimd.Or(p3, TSimd.And(TSimd.ShiftRight16(word, 2), mask));
            }
            else
            {
                I mask = TSimd.Splat(0x0003_0003);
                p0 = TSimd.And(word, mask);
                p1 = TSimd.And(TSimd.ShiftRight16(word, 2), mask);
                p2 = TSimd.And(TSimd.ShiftRight16(word, 4), mask);
                p3 = TSimd.And(TSimd.ShiftRight16(word, 6), mask);
            }
        }

        if (TForm.One)
        {
            // Bits 4 * group to 4 * group + 3 of each half, moved to the code's highest bit.
            I word = TSimd.Load(codes + IntegerLayout<TForm>.OnePlane);
            I mask = TSimd.Splat(0x0001_0001 << IntegerLayout<TForm>.OneBit);
            p0 = TSimd.Or(p0, TSimd.And(Move(word, (4 * group) - IntegerLayout<TForm>.OneBit), mask));
            p1 = TSimd.Or(p1, TSimd.And(Move(word, (4 * group) + 1 - IntegerLayout<TForm>.OneBit), mask));
            p2 = TSimd.Or(p2, TSimd.And(Move(word, (4 * group) + 2 - IntegerLayout<TForm>.OneBit), mask));
            p3 = TSimd.Or(p3, TSimd.And(Move(word, (4 * group) + 3 - IntegerLayout<TForm>.OneBit), mask));
        }
    }

    /// <summary>The scales of a group, one per lane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static I Scales(byte* scales) => TForm.SignedScales ? TSimd.LoadSignedBytes(scales) : TSimd.LoadBytes(scales);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static I Move(I word, int right) => right >= 0 ? TSimd.ShiftRight16(word, right) : TSimd.ShiftLeft16(word, -right);
}
