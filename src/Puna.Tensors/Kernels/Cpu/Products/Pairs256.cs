using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Puna.Tensors.Kernels.Cpu.Products;

/// <summary>Eight rows: AVX2.</summary>
internal readonly unsafe struct Pairs256 : IPairSimd<Vector256<int>, Vector256<float>>
{
    public static int Width => 8;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Load(void* p) => Vector256.Load((int*)p);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Prefetch(void* p)
    {
        if (Sse.IsSupported)
        {
            Sse.Prefetch0(p);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector256<int> v, void* p) => v.Store((int*)p);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> LoadBytes(byte* p) => Avx2.IsSupported ? Avx2.ConvertToVector256Int32(p) : Wide(Vector128.CreateScalarUnsafe(*(ulong*)p).AsByte());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> LoadSignedBytes(byte* p) => Avx2.IsSupported ? Avx2.ConvertToVector256Int32((sbyte*)p) : WideSigned(Vector128.CreateScalarUnsafe(*(ulong*)p).AsSByte());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Splat(int x) => Vector256.Create(x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> And(Vector256<int> a, Vector256<int> b) => a & b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Or(Vector256<int> a, Vector256<int> b) => a | b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Add(Vector256<int> a, Vector256<int> b) => a + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Sub(Vector256<int> a, Vector256<int> b) => a - b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> ShiftLeft(Vector256<int> v, int bits) => v << bits;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> ShiftRight16(Vector256<int> v, int bits) => (v.AsUInt16() >>> bits).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> ShiftRightSigned16(Vector256<int> v, int bits) => (v.AsInt16() >> bits).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> ShiftLeft16(Vector256<int> v, int bits) => (v.AsInt16() << bits).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Dot(Vector256<int> codes, Vector256<int> x) =>
        Avx2.IsSupported ? Avx2.MultiplyAddAdjacent(codes.AsByte(), x.AsSByte()).AsInt32()
            : (((codes.AsInt16() & Vector256.Create((short)0x00FF)) * ((x.AsInt16() << 8) >> 8)) + ((codes.AsInt16() >> 8) * (x.AsInt16() >> 8))).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> AddDot(Vector256<int> sum, Vector256<int> codes, Vector256<int> x) => (sum.AsInt16() + Dot(codes, x).AsInt16()).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Weigh(Vector256<int> sum, Vector256<int> m) =>
        Avx2.IsSupported ? Avx2.MultiplyAddAdjacent(sum.AsInt16(), m.AsInt16()) : AddProducts(default, sum, m);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> AddProducts(Vector256<int> a, Vector256<int> p, Vector256<int> x) =>
        Avx2.IsSupported ? Avx2.Add(Avx2.MultiplyAddAdjacent(p.AsInt16(), x.AsInt16()), a)
            : a + (((p << 16) >> 16) * ((x << 16) >> 16)) + ((p >> 16) * (x >> 16));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> AddProducts(Vector256<int> a, Vector256<int> p0, Vector256<int> x0, Vector256<int> p1, Vector256<int> x1, Vector256<int> p2, Vector256<int> x2, Vector256<int> p3, Vector256<int> x3) =>
        AddProducts(AddProducts(AddProducts(AddProducts(a, p0, x0), p1, x1), p2, x2), p3, x3);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> ToFloat(Vector256<int> v) => Vector256.ConvertToSingle(v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> LoadScales(ushort* p) =>
        Scales(Avx2.IsSupported ? Avx2.ConvertToVector256Int32((short*)p) : Vector256.Create(Vector128.WidenLower(Vector128.Load((short*)p)), Vector128.WidenUpper(Vector128.Load((short*)p))));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Half(Vector256<int> v, bool upper) => Scaled((upper ? v : v << 16) >> 3);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> BFloat16(Vector256<int> v, bool upper) => (upper ? v & Vector256.Create(unchecked((int)0xFFFF_0000)) : v << 16).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> LoadFloats(float* p) => Vector256.Load(p);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreFloats(Vector256<float> v, float* p) => v.Store(p);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> SplatFloat(float x) => Vector256.Create(x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> AddFloats(Vector256<float> a, Vector256<float> b) => a + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> MulFloats(Vector256<float> a, Vector256<float> b) => a * b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Fma(Vector256<float> a, Vector256<float> b, Vector256<float> c) => Fused.MultiplyAdd(a, b, c);

    private static Vector256<int> Wide(Vector128<byte> v)
    {
        Vector128<ushort> eight = Vector128.WidenLower(v);
        return Vector256.Create(Vector128.WidenLower(eight), Vector128.WidenUpper(eight)).AsInt32();
    }

    private static Vector256<int> WideSigned(Vector128<sbyte> v)
    {
        Vector128<short> eight = Vector128.WidenLower(v);
        return Vector256.Create(Vector128.WidenLower(eight), Vector128.WidenUpper(eight));
    }

    // The bits of a half, its sign extended, moved to their place in a float32 whose exponent is 112 too small; the product is exact, denormals included.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Scales(Vector256<int> half) => Scaled(half << 13);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Scaled(Vector256<int> bits) => (bits & Vector256.Create(unchecked((int)0x8FFF_E000))).AsSingle() * Vector256.Create(5.192296858534828e33f);
}
