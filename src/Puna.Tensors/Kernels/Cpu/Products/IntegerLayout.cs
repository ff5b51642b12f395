namespace Puna.Tensors.Kernels.Cpu.Products;

/// <summary>Sizes, places and properties of a packed super-block of 16 rows of one form.</summary>
/// <remarks>
/// Fields, not properties: a kernel has hundreds of small calls that the compiler must inline, and its budget for that ends. Fields that are set before a kernel is compiled
/// (packing a weight, or asking for its scratch memory, sets them) are constants to it and cost nothing.
/// </remarks>
internal static class IntegerLayout<TForm>
    where TForm : struct, IIntegerForm
{
    /// <summary><see cref="IIntegerForm.Eight"/>.</summary>
    public static readonly bool Eight = TForm.Eight;

    /// <summary><see cref="IIntegerForm.Four"/>.</summary>
    public static readonly bool Four = TForm.Four;

    /// <summary><see cref="IIntegerForm.Two"/>.</summary>
    public static readonly bool Two = TForm.Two;

    /// <summary><see cref="IIntegerForm.One"/>.</summary>
    public static readonly bool One = TForm.One;

    /// <summary>Whether codes have six bits, four products of which with bytes do not fit a 16-bit sum.</summary>
    public static readonly bool Six = TForm.Four && TForm.Two;

    /// <summary><see cref="IIntegerForm.Blocks"/>.</summary>
    public static readonly int Blocks = TForm.Blocks;

    /// <summary><see cref="IIntegerForm.Groups"/>, of 32 inputs.</summary>
    public static readonly int BlockGroups = TForm.Groups;

    /// <summary><see cref="IIntegerForm.HasScales"/>.</summary>
    public static readonly bool HasScales = TForm.HasScales;

    /// <summary><see cref="IIntegerForm.SignedScales"/>.</summary>
    public static readonly bool SignedScales = TForm.SignedScales;

    /// <summary><see cref="IIntegerForm.HasLeast"/>.</summary>
    public static readonly bool HasLeast = TForm.HasLeast;

    /// <summary><see cref="IIntegerForm.HasMinima"/>.</summary>
    public static readonly bool HasMinima = TForm.HasMinima;

    /// <summary><see cref="IIntegerForm.ZeroShift"/>.</summary>
    public static readonly int ZeroShift = TForm.ZeroShift;

    /// <summary><see cref="IIntegerForm.WordsAt"/>.</summary>
    public static readonly int WordsAt = TForm.WordsAt;

    /// <summary>The zero of the codes.</summary>
    public static readonly int Zero = TForm.ZeroShift < 0 ? 0 : 1 << TForm.ZeroShift;

    /// <summary>Inputs of a super-block.</summary>
    public static readonly int Values = 32 * TForm.Blocks;

    /// <summary>Groups of a super-block.</summary>
    public static readonly int Groups = TForm.Blocks * TForm.Groups;

    /// <summary>Place of the halves that m is multiplied with.</summary>
    public static readonly int Least = 32;

    /// <summary>Place of the scales.</summary>
    public static readonly int Scales = TForm.HasLeast ? 64 : 32;

    /// <summary>Place of the minima.</summary>
    public static readonly int Minima = Scales + (TForm.HasScales ? 16 * Groups : 0);

    /// <summary>Place of the codes of the first 32 inputs.</summary>
    public static readonly int Codes = Minima + (TForm.HasMinima ? 16 * Groups : 0);

    /// <summary>Place of the plane of two bits in the codes of 32 inputs.</summary>
    public static readonly int TwoPlane = TForm.Four ? 256 : 0;

    /// <summary>Place of the plane of one bit in the codes of 32 inputs.</summary>
    public static readonly int OnePlane = TwoPlane + (TForm.Two ? 128 : 0);

    /// <summary>Bytes of the codes of 32 inputs.</summary>
    public static readonly int BlockBytes = TForm.Eight ? 512 : OnePlane + (TForm.One ? 64 : 0);

    /// <summary>Bytes of the super-block.</summary>
    public static readonly int Bytes = Codes + (TForm.Blocks * BlockBytes);

    /// <summary>Position of the two-bit plane's bits in a code.</summary>
    public static readonly int TwoBit = TForm.Four ? 4 : 0;

    /// <summary>Position of the one-bit plane's bit in a code.</summary>
    public static readonly int OneBit = TwoBit + (TForm.Two ? 2 : 0);
}
