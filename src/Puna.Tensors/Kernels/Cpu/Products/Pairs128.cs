using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Puna.Tensors.Kernels.Cpu.Products;

/// <summary>Four rows: SSE2 and Arm.</summary>
internal readonly unsafe struct Pairs128 : IPairSimd<Vector128<int>, Vector128<float>>
{
    public static int Width => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> Load(void* p) => Vector128.Load((int*)p);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Prefetch(void* p)
    {
        if (Sse.IsSupported)
        {
            Sse.Prefetch0(p);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector128<int> v, void* p) => v.Store((int*)p);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> LoadBytes(byte* p) => Vector128.WidenLower(Vector128.WidenLower(Vector128.CreateScalarUnsafe(*(uint*)p).AsByte())).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> LoadSignedBytes(byte* p) => Vector128.WidenLower(Vector128.WidenLower(Vector128.CreateScalarUnsafe(*(uint*)p).AsSByte()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> Splat(int x) => Vector128.Create(x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> And(Vector128<int> a, Vector128<int> b) => a & b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> Or(Vector128<int> a, Vector128<int> b) => a | b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> Add(Vector128<int> a, Vector128<int> b) => a + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> Sub(Vector128<int> a, Vector128<int> b) => a - b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> ShiftLeft(Vector128<int> v, int bits) => v << bits;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> ShiftRight16(Vector128<int> v, int bits) => (v.AsUInt16() >>> bits).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> ShiftRightSigned16(Vector128<int> v, int bits) => (v.AsInt16() >> bits).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> ShiftLeft16(Vector128<int> v, int bits) => (v.AsInt16() << bits).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> Dot(Vector128<int> codes, Vector128<int> x) =>
        Dp.IsSupported ? Dp.DotProduct(default, codes.AsSByte(), x.AsSByte())
            : Ssse3.IsSupported ? Ssse3.MultiplyAddAdjacent(codes.AsByte(), x.AsSByte()).AsInt32()
            : Words(codes, x).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> AddDot(Vector128<int> sum, Vector128<int> codes, Vector128<int> x) =>
        Dp.IsSupported ? Dp.DotProduct(sum, codes.AsSByte(), x.AsSByte()) : (sum.AsInt16() + Dot(codes, x).AsInt16()).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> Weigh(Vector128<int> sum, Vector128<int> m) =>
        Dp.IsSupported ? sum * (m >> 16) : AddProducts(default, sum, m);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> AddProducts(Vector128<int> a, Vector128<int> p, Vector128<int> x) =>
        Sse2.IsSupported ? Sse2.Add(Sse2.MultiplyAddAdjacent(p.AsInt16(), x.AsInt16()), a)
            : AdvSimd.Arm64.IsSupported ? a + Arm(p.AsInt16(), x.AsInt16())
            : a + (((p << 16) >> 16) * ((x << 16) >> 16)) + ((p >> 16) * (x >> 16));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> AddProducts(Vector128<int> a, Vector128<int> p0, Vector128<int> x0, Vector128<int> p1, Vector128<int> x1, Vector128<int> p2, Vector128<int> x2, Vector128<int> p3, Vector128<int> x3) =>
        AddProducts(AddProducts(AddProducts(AddProducts(a, p0, x0), p1, x1), p2, x2), p3, x3);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> ToFloat(Vector128<int> v) => Vector128.ConvertToSingle(v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> LoadScales(ushort* p) => Scales(Vector128.WidenLower(Vector128.CreateScalarUnsafe(*(ulong*)p).AsInt16()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Half(Vector128<int> v, bool upper) => Scaled((upper ? v : v << 16) >> 3);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> BFloat16(Vector128<int> v, bool upper) => (upper ? v & Vector128.Create(unchecked((int)0xFFFF_0000)) : v << 16).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> LoadFloats(float* p) => Vector128.Load(p);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreFloats(Vector128<float> v, float* p) => v.Store(p);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> SplatFloat(float x) => Vector128.Create(x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> AddFloats(Vector128<float> a, Vector128<float> b) => a + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> MulFloats(Vector128<float> a, Vector128<float> b) => a * b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Fma(Vector128<float> a, Vector128<float> b, Vector128<float> c) => Vector128.FusedMultiplyAdd(a, b, c);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<int> Arm(Vector128<short> a, Vector128<short> b)
    {
        Vector128<int> lower = AdvSimd.MultiplyWideningLower(a.GetLower(), b.GetLower());
        Vector128<int> upper = AdvSimd.MultiplyWideningUpper(a, b);
        return AdvSimd.Arm64.AddPairwise(lower, upper);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<short> Words(Vector128<int> codes, Vector128<int> x) =>
        ((codes.AsInt16() & Vector128.Create((short)0x00FF)) * ((x.AsInt16() << 8) >> 8)) + ((codes.AsInt16() >> 8) * (x.AsInt16() >> 8));

    // The bits of a half, its sign extended, moved to their place in a float32 whose exponent is 112 too small; the product is exact, denormals included.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Scales(Vector128<int> half) => Scaled(half << 13);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Scaled(Vector128<int> bits) => (bits & Vector128.Create(unchecked((int)0x8FFF_E000))).AsSingle() * Vector128.Create(5.192296858534828e33f);
}
