namespace Puna.Tensors;

/// <summary>Sizes and names of the element types.</summary>
public static class DTypes
{
    /// <summary>Values in one block of <paramref name="type"/>: 1 for plain numbers, 32, 64 or 256 for block types.</summary>
    public static int BlockSize(this DType type) => Info(type).Values;

    /// <summary>Bytes of one block (of one element for plain numbers).</summary>
    public static int BlockBytes(this DType type) => Info(type).Bytes;

    /// <summary>True for the quantised types whose values share scales in blocks.</summary>
    public static bool IsBlock(this DType type) => Info(type).Values > 1;

    /// <summary>True for f32, f16 and bf16: the types a tensor of weights or activations can have without being quantised.</summary>
    public static bool IsFloat(this DType type) => type is DType.F32 or DType.F16 or DType.BF16;

    /// <summary>Whether <paramref name="type"/> is one of the named values of <see cref="DType"/>.</summary>
    public static bool IsDefined(DType type) => Find(type).Bytes != 0;

    /// <summary>Lower-case name, for example <c>q4_k</c> or <c>bf16</c>.</summary>
    public static string Name(this DType type) => IsDefined(type) ? type.ToString().ToLowerInvariant() : $"type {(int)type}";

    /// <summary>Finds a type by its name, in any case.</summary>
    public static bool TryParse(string name, out DType type) =>
        Enum.TryParse(name, ignoreCase: true, out type) && IsDefined(type) && !char.IsAsciiDigit(name.Length > 0 ? name[0] : '0');

    /// <summary>Bytes of a row of <paramref name="columns"/> values.</summary>
    /// <exception cref="PunaException">The columns are not a whole number of blocks.</exception>
    /// <exception cref="OverflowException">The product does not fit 64 bits.</exception>
    public static long RowBytes(this DType type, long columns)
    {
        (int values, int bytes) = Info(type);
        if (columns < 0 || columns % values != 0)
        {
            throw new PunaException($"row of {type.Name()}: expected a multiple of {values} values, got {columns}");
        }

        return checked(columns / values * bytes);
    }

    private static (int Values, int Bytes) Info(DType type)
    {
        (int Values, int Bytes) info = Find(type);
        return info.Bytes != 0 ? info : throw new ArgumentOutOfRangeException(nameof(type), (int)type, "no such element type");
    }

    private static (int Values, int Bytes) Find(DType type) => type switch
    {
        DType.F32 or DType.I32 or DType.U32 => (1, 4),
        DType.F16 or DType.BF16 or DType.I16 or DType.U16 => (1, 2),
        DType.I8 or DType.U8 or DType.Bool or DType.F8_E4M3 or DType.F8_E5M2 => (1, 1),
        DType.F64 or DType.I64 or DType.U64 => (1, 8),
        DType.Q4_0 or DType.IQ4_NL => (32, 18),
        DType.Q4_1 => (32, 20),
        DType.Q5_0 => (32, 22),
        DType.Q5_1 => (32, 24),
        DType.Q8_0 => (32, 34),
        DType.Q2_K => (256, 84),
        DType.Q3_K or DType.IQ3_S => (256, 110),
        DType.Q4_K => (256, 144),
        DType.Q5_K => (256, 176),
        DType.Q6_K => (256, 210),
        DType.IQ2_XXS or DType.TQ2_0 => (256, 66),
        DType.IQ2_XS => (256, 74),
        DType.IQ2_S => (256, 82),
        DType.IQ3_XXS => (256, 98),
        DType.IQ4_XS => (256, 136),
        DType.IQ1_S => (256, 50),
        DType.IQ1_M => (256, 56),
        DType.TQ1_0 => (256, 54),
        DType.MXFP4 => (32, 17),
        DType.NVFP4 => (64, 36),
        _ => (0, 0),
    };
}
