using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Puna.Tensors.Kernels.Cpu.Products;

/// <summary>Sixteen rows: AVX-512. Where the processor lacks it the portable forms are slow but right, so that every machine can test it.</summary>
internal readonly unsafe struct Pairs512 : IPairSimd<Vector512<int>, Vector512<float>>
{
    public static int Width => 16;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> Load(void* p) => Vector512.Load((int*)p);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Prefetch(void* p)
    {
        if (Sse.IsSupported)
        {
            Sse.Prefetch0(p);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector512<int> v, void* p) => v.Store((int*)p);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> LoadBytes(byte* p) => Avx512F.IsSupported ? Avx512F.ConvertToVector512Int32(Vector128.Load(p)) : Wide(Vector128.Load(p));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> LoadSignedBytes(byte* p) => Avx512F.IsSupported ? Avx512F.ConvertToVector512Int32(Vector128.Load((sbyte*)p)) : WideSigned(Vector128.Load((sbyte*)p));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> Splat(int x) => Vector512.Create(x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> And(Vector512<int> a, Vector512<int> b) => a & b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> Or(Vector512<int> a, Vector512<int> b) => a | b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> Add(Vector512<int> a, Vector512<int> b) => a + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> Sub(Vector512<int> a, Vector512<int> b) => a - b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> ShiftLeft(Vector512<int> v, int bits) => v << bits;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> ShiftRight16(Vector512<int> v, int bits) => (v.AsUInt16() >>> bits).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> ShiftRightSigned16(Vector512<int> v, int bits) => (v.AsInt16() >> bits).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> ShiftLeft16(Vector512<int> v, int bits) => (v.AsInt16() << bits).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> Dot(Vector512<int> codes, Vector512<int> x) =>
        Avx512BW.IsSupported ? Avx512BW.MultiplyAddAdjacent(codes.AsByte(), x.AsSByte()).AsInt32()
            : (((codes.AsInt16() & Vector512.Create((short)0x00FF)) * ((x.AsInt16() << 8) >> 8)) + ((codes.AsInt16() >> 8) * (x.AsInt16() >> 8))).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> AddDot(Vector512<int> sum, Vector512<int> codes, Vector512<int> x) => (sum.AsInt16() + Dot(codes, x).AsInt16()).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> Weigh(Vector512<int> sum, Vector512<int> m) =>
        Avx512BW.IsSupported ? Avx512BW.MultiplyAddAdjacent(sum.AsInt16(), m.AsInt16()) : AddProducts(default, sum, m);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> AddProducts(Vector512<int> a, Vector512<int> p, Vector512<int> x) =>
        Avx512BW.IsSupported ? Avx512F.Add(Avx512BW.MultiplyAddAdjacent(p.AsInt16(), x.AsInt16()), a)
            : a + (((p << 16) >> 16) * ((x << 16) >> 16)) + ((p >> 16) * (x >> 16));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> AddProducts(Vector512<int> a, Vector512<int> p0, Vector512<int> x0, Vector512<int> p1, Vector512<int> x1, Vector512<int> p2, Vector512<int> x2, Vector512<int> p3, Vector512<int> x3) =>
        AddProducts(AddProducts(AddProducts(AddProducts(a, p0, x0), p1, x1), p2, x2), p3, x3);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> ToFloat(Vector512<int> v) => Vector512.ConvertToSingle(v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> LoadScales(ushort* p) =>
        Scales(Avx512F.IsSupported ? Avx512F.ConvertToVector512Int32(Vector256.Load((short*)p)) : Vector512.Create(Vector256.WidenLower(Vector256.Load((short*)p)), Vector256.WidenUpper(Vector256.Load((short*)p))));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Half(Vector512<int> v, bool upper) => Scaled((upper ? v : v << 16) >> 3);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> BFloat16(Vector512<int> v, bool upper) => (upper ? v & Vector512.Create(unchecked((int)0xFFFF_0000)) : v << 16).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> LoadFloats(float* p) => Vector512.Load(p);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreFloats(Vector512<float> v, float* p) => v.Store(p);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> SplatFloat(float x) => Vector512.Create(x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> AddFloats(Vector512<float> a, Vector512<float> b) => a + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> MulFloats(Vector512<float> a, Vector512<float> b) => a * b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Fma(Vector512<float> a, Vector512<float> b, Vector512<float> c) => Fused.MultiplyAdd(a, b, c);

    private static Vector512<int> Wide(Vector128<byte> v)
    {
        Vector256<ushort> sixteen = Vector256.Create(Vector128.WidenLower(v), Vector128.WidenUpper(v));
        return Vector512.Create(Vector256.WidenLower(sixteen), Vector256.WidenUpper(sixteen)).AsInt32();
    }

    private static Vector512<int> WideSigned(Vector128<sbyte> v)
    {
        Vector256<short> sixteen = Vector256.Create(Vector128.WidenLower(v), Vector128.WidenUpper(v));
        return Vector512.Create(Vector256.WidenLower(sixteen), Vector256.WidenUpper(sixteen));
    }

    // The bits of a half, its sign extended, moved to their place in a float32 whose exponent is 112 too small; the product is exact, denormals included.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Scales(Vector512<int> half) => Scaled(half << 13);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Scaled(Vector512<int> bits) => (bits & Vector512.Create(unchecked((int)0x8FFF_E000))).AsSingle() * Vector512.Create(5.192296858534828e33f);
}
