namespace Puna.Tensors.Kernels.Cpu.Products;

/// <summary>Sizes and places in a packed super-block of 16 rows of one form; constants to the kernels.</summary>
internal static class IntegerLayout<TForm>
    where TForm : struct, IIntegerForm
{
    /// <summary>Inputs of a super-block.</summary>
    public static int Values => 32 * TForm.Blocks;

    /// <summary>Groups of a super-block.</summary>
    public static int Groups => TForm.Blocks * TForm.Groups;

    /// <summary>Place of the halves that m is multiplied with.</summary>
    public static int Least => 32;

    /// <summary>Place of the scales.</summary>
    public static int Scales => TForm.HasLeast ? 64 : 32;

    /// <summary>Place of the minima.</summary>
    public static int Minima => Scales + (TForm.HasScales ? 16 * Groups : 0);

    /// <summary>Place of the codes of the first 32 inputs.</summary>
    public static int Codes => Minima + (TForm.HasMinima ? 16 * Groups : 0);

    /// <summary>Place of the plane of two bits in the codes of 32 inputs.</summary>
    public static int TwoPlane => TForm.Four ? 256 : 0;

    /// <summary>Place of the plane of one bit in the codes of 32 inputs.</summary>
    public static int OnePlane => TwoPlane + (TForm.Two ? 128 : 0);

    /// <summary>Bytes of the codes of 32 inputs.</summary>
    public static int BlockBytes => TForm.Eight ? 512 : OnePlane + (TForm.One ? 64 : 0);

    /// <summary>Bytes of the super-block.</summary>
    public static int Bytes => Codes + (TForm.Blocks * BlockBytes);

    /// <summary>Position of the two-bit plane's bits in a code.</summary>
    public static int TwoBit => TForm.Four ? 4 : 0;

    /// <summary>Position of the one-bit plane's bit in a code.</summary>
    public static int OneBit => TwoBit + (TForm.Two ? 2 : 0);
}
