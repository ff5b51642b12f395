using Puna.Tensors;

namespace Puna.Models.Quantization;

/// <summary>Names of the file types, and the type that most matrices of each have.</summary>
public static class FileTypes
{
    /// <summary>The file types that can be written, smallest id first.</summary>
    public static IReadOnlyList<FileType> All { get; } = Enum.GetValues<FileType>();

    /// <summary>Lower-case name as the command line takes it, for example <c>q4_k_m</c>.</summary>
    public static string Name(this FileType type) => type.ToString().ToLowerInvariant();

    /// <summary>Finds a file type by its name in any case; <c>q3_k</c>, <c>q4_k</c> and <c>q5_k</c> are their medium mixes.</summary>
    public static bool TryParse(string? name, out FileType type)
    {
        string medium = name?.ToLowerInvariant() is "q3_k" or "q4_k" or "q5_k" ? name + "_m" : name ?? "";
        foreach (FileType candidate in All)
        {
            if (string.Equals(candidate.ToString(), medium, StringComparison.OrdinalIgnoreCase))
            {
                type = candidate;
                return true;
            }
        }

        type = default;
        return false;
    }

    /// <summary>The type of a matrix that no rule of the mix singles out.</summary>
    public static DType DefaultType(this FileType type) => type switch
    {
        FileType.F32 => DType.F32,
        FileType.F16 => DType.F16,
        FileType.BF16 => DType.BF16,
        FileType.Q4_0 => DType.Q4_0,
        FileType.Q4_1 => DType.Q4_1,
        FileType.Q5_0 => DType.Q5_0,
        FileType.Q5_1 => DType.Q5_1,
        FileType.Q8_0 => DType.Q8_0,
        FileType.Q2_K or FileType.Q2_K_S => DType.Q2_K,
        FileType.Q3_K_S or FileType.Q3_K_M or FileType.Q3_K_L => DType.Q3_K,
        FileType.Q4_K_S or FileType.Q4_K_M => DType.Q4_K,
        FileType.Q5_K_S or FileType.Q5_K_M => DType.Q5_K,
        FileType.Q6_K => DType.Q6_K,
        FileType.IQ4_NL => DType.IQ4_NL,
        _ => throw new ArgumentOutOfRangeException(nameof(type), (int)type, "no such file type"),
    };

    /// <summary>The id that <c>general.file_type</c> has for files most of whose matrices have a type, also for types that cannot be written anew.</summary>
    /// <param name="type">The type.</param>
    /// <returns>Null for types that no id stands for.</returns>
    public static int? IdOf(DType type)
    {
        foreach (FileType candidate in All)
        {
            if (candidate.DefaultType() == type)
            {
                return (int)candidate;
            }
        }

        return type switch
        {
            DType.IQ2_XXS => 19,
            DType.IQ2_XS => 20,
            DType.IQ3_XXS => 23,
            DType.IQ1_S => 24,
            DType.IQ3_S => 26,
            DType.IQ2_S => 28,
            DType.IQ4_XS => 30,
            DType.IQ1_M => 31,
            DType.TQ1_0 => 36,
            DType.TQ2_0 => 37,
            _ => null,
        };
    }
}
