using System.Runtime.CompilerServices;

namespace Puna.Tensors.Kernels.Cpu.Products;

/// <summary>Takes codes out of the planes of <see cref="IIntegerForm"/> as unsigned bytes, four inputs per lane, for as many rows as a vector has lanes.</summary>
internal static unsafe class QuadCodes<TForm, TSimd, I, F>
    where TForm : struct, IIntegerForm
    where TSimd : struct, IPairSimd<I, F>
    where I : unmanaged
    where F : unmanaged
{
    /// <summary>Group <paramref name="g"/> of four, the zero not subtracted.</summary>
    /// <param name="codes">Codes of 32 inputs, at the first of the vector's rows.</param>
    /// <param name="g">0 to 3; a constant, so that shifts are constants too.</param>
    /// <param name="low">Inputs 4g to 4g + 3.</param>
    /// <param name="high">Inputs 16 + 4g to 16 + 4g + 3.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Take(byte* codes, int g, out I low, out I high)
    {
        if (IntegerLayout<TForm>.Four)
        {
            I word = TSimd.Load(codes + (64 * g));
            I mask = TSimd.Splat(0x0F0F_0F0F);
            low = TSimd.And(word, mask);
            high = TSimd.And(TSimd.ShiftRight16(word, 4), mask);
        }
        else
        {
            low = high = TSimd.Splat(0);
        }

        if (IntegerLayout<TForm>.Two)
        {
            // Moved to their place in the code while they are taken out.
            I word = TSimd.Load(codes + IntegerLayout<TForm>.TwoPlane + (64 * (g / 2)));
            if (IntegerLayout<TForm>.Four)
            {
                I mask = TSimd.Splat(0x3030_3030);
                low = TSimd.Or(low, TSimd.And(g % 2 == 0 ? TSimd.ShiftLeft16(word, 4) : word, mask));
                high = TSimd.Or(high, TSimd.And(g % 2 == 0 ? TSimd.ShiftLeft16(word, 2) : TSimd.ShiftRight16(word, 2), mask));
            }
            else
            {
                I mask = TSimd.Splat(0x0303_0303);
                low = TSimd.And(g % 2 == 0 ? word : TSimd.ShiftRight16(word, 4), mask);
                high = TSimd.And(TSimd.ShiftRight16(word, g % 2 == 0 ? 2 : 6), mask);
            }
        }

        if (IntegerLayout<TForm>.One)
        {
            // The group's bits are 2g and 2g + 1 of each byte; the code's highest bit is bit 4 or bit 2.
            I word = TSimd.Load(codes + IntegerLayout<TForm>.OnePlane);
            int bit = IntegerLayout<TForm>.OneBit;
            I mask = TSimd.Splat(0x0101_0101 << bit);
            low = TSimd.Or(low, TSimd.And(2 * g <= bit ? TSimd.ShiftLeft16(word, bit - (2 * g)) : TSimd.ShiftRight16(word, (2 * g) - bit), mask));
            high = TSimd.Or(high, TSimd.And((2 * g) + 1 <= bit ? TSimd.ShiftLeft16(word, bit - (2 * g) - 1) : TSimd.ShiftRight16(word, (2 * g) + 1 - bit), mask));
        }
    }

    /// <summary>The scales of a group as floats, one per lane: exact, as a half times a byte is.</summary>
    /// <param name="d">d of the super-block.</param>
    /// <param name="scales">Integer scales of the group, at the vector's first row.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F Scale(F d, byte* scales) =>
        !IntegerLayout<TForm>.HasScales ? d : TSimd.MulFloats(d, TSimd.ToFloat(IntegerLayout<TForm>.SignedScales ? TSimd.LoadSignedBytes(scales) : TSimd.LoadBytes(scales)));

    /// <summary>What a group adds without regard to its codes, per lane.</summary>
    /// <param name="least">Least of the super-block.</param>
    /// <param name="minima">Integers of the group, at the vector's first row.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F Minimum(F least, byte* minima) => !IntegerLayout<TForm>.HasMinima ? least : TSimd.MulFloats(least, TSimd.ToFloat(TSimd.LoadBytes(minima)));
}
