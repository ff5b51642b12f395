using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Puna.Tensors.Quantization;

namespace Puna.Tensors.Kernels.Cpu;

/// <summary>Gives the keys or values of a tile as float32, exactly: where they lie, or converted into scratch memory. Once per tile, for all queries that see it.</summary>
internal static unsafe class KvLoad
{
    /// <summary>Keys <c>[headDim, 32]</c>.</summary>
    /// <param name="layout">What the tile is like.</param>
    /// <param name="part">The keys of a tile.</param>
    /// <param name="scratch">32 * headDim floats.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float* Keys<S, TV>(in KvTile layout, byte* part, float* scratch)
        where S : struct, ISimd<TV>
        where TV : unmanaged
    {
        switch (layout.Type)
        {
            case DType.F32:
                return (float*)part;
            case DType.F16:
                Halves<S, TV>((ushort*)part, scratch, layout.HeadDim * KvTile.Tokens);
                return scratch;
            default:
                KeyBytes<S, TV>(layout, part, scratch);
                return scratch;
        }
    }

    /// <summary>Values <c>[count, headDim]</c>.</summary>
    /// <param name="layout">What the tile is like.</param>
    /// <param name="part">The values of a tile.</param>
    /// <param name="count">Tokens that are there.</param>
    /// <param name="scratch">32 * headDim floats.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float* Values<S, TV>(in KvTile layout, byte* part, int count, float* scratch)
        where S : struct, ISimd<TV>
        where TV : unmanaged
    {
        switch (layout.Type)
        {
            case DType.F32:
                return (float*)part;
            case DType.F16:
                Halves<S, TV>((ushort*)part, scratch, layout.HeadDim * count);
                return scratch;
            default:
                ValueBytes<S, TV>(layout, part, count, scratch);
                return scratch;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Halves<S, TV>(ushort* from, float* to, int count)
        where S : struct, ISimd<TV>
        where TV : unmanaged
    {
        int i = 0;
        if (S.Width == 1 || IsFinite(from, count))
        {
            for (; i + (4 * S.Width) <= count; i += 4 * S.Width)
            {
                S.Store(S.LoadFiniteHalf(from + i), to + i);
                S.Store(S.LoadFiniteHalf(from + i + S.Width), to + i + S.Width);
                S.Store(S.LoadFiniteHalf(from + i + (2 * S.Width)), to + i + (2 * S.Width));
                S.Store(S.LoadFiniteHalf(from + i + (3 * S.Width)), to + i + (3 * S.Width));
            }
        }

        for (; i + S.Width <= count; i += S.Width)
        {
            S.Store(S.LoadHalf(from + i), to + i);
        }

        for (; i < count; i++)
        {
            to[i] = FloatBits.FromHalf(from[i]);
        }
    }

    /// <summary>Whether no half is infinite or NaN; the test of a whole tile is cheaper than a conversion that allows for them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool IsFinite(ushort* from, int count)
    {
        Vector256<ushort> mask = Vector256.Create((ushort)0x7FFF);
        Vector256<ushort> a = Vector256<ushort>.Zero;
        Vector256<ushort> b = a;
        int i = 0;
        for (; i + 32 <= count; i += 32)
        {
            a = Vector256.Max(a, Vector256.Load(from + i) & mask);
            b = Vector256.Max(b, Vector256.Load(from + i + 16) & mask);
        }

        bool isFinite = !Vector256.GreaterThanAny(Vector256.Max(a, b), Vector256.Create((ushort)0x7BFF));
        for (; i < count; i++)
        {
            isFinite &= (from[i] & 0x7FFF) <= 0x7BFF;
        }

        return isFinite;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void KeyBytes<S, TV>(in KvTile layout, byte* part, float* keys)
        where S : struct, ISimd<TV>
        where TV : unmanaged
    {
        float* scales = stackalloc float[KvTile.Tokens];
        sbyte* from = (sbyte*)part;
        ushort* halves = (ushort*)(part + layout.ScaleOffset);
        for (int first = 0; first < layout.HeadDim; first += KvTile.ScaleBlock, halves += KvTile.Tokens)
        {
            for (int j = 0; j < KvTile.Tokens; j += S.Width)
            {
                S.Store(S.LoadHalf(halves + j), scales + j);
            }

            int end = Math.Min(first + KvTile.ScaleBlock, layout.HeadDim);
            for (int j = 0; j < KvTile.Tokens; j += S.Width)
            {
                TV scale = S.Load(scales + j);
                for (int d = first; d < end; d++)
                {
                    int at = (d * KvTile.Tokens) + j;
                    S.Store(S.Mul(S.LoadSByte(from + at), scale), keys + at);
                }
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void ValueBytes<S, TV>(in KvTile layout, byte* part, int count, float* values)
        where S : struct, ISimd<TV>
        where TV : unmanaged
    {
        float* scales = stackalloc float[KvTile.Tokens];
        ushort* halves = (ushort*)(part + layout.ScaleOffset);
        for (int first = 0; first < layout.HeadDim; first += KvTile.ScaleBlock, halves += KvTile.Tokens)
        {
            for (int j = 0; j < KvTile.Tokens; j += S.Width)
            {
                S.Store(S.LoadHalf(halves + j), scales + j);
            }

            int end = Math.Min(first + KvTile.ScaleBlock, layout.HeadDim);
            for (int j = 0; j < count; j++)
            {
                TV scale = S.Splat(scales[j]);
                sbyte* from = (sbyte*)part + (j * layout.HeadDim);
                float* to = values + (j * layout.HeadDim);
                int d = first;
                for (; d + S.Width <= end; d += S.Width)
                {
                    S.Store(S.Mul(S.LoadSByte(from + d), scale), to + d);
                }

                for (; d < end; d++)
                {
                    to[d] = from[d] * scales[j];
                }
            }
        }
    }
}
