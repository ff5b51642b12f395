namespace Puna.Models.Quantization;

/// <summary>
/// How the matrices of a GGUF file are stored as a whole; the values are those of its <c>general.file_type</c>. A name such as Q4_K_M is a mix: most matrices
/// have one type and those that suffer most have a better one (<see cref="QuantizationMix"/>).
/// </summary>
public enum FileType
{
#pragma warning disable CS1591 // each name is the name of a mix
    F32 = 0,
    F16 = 1,
    Q4_0 = 2,
    Q4_1 = 3,
    Q8_0 = 7,
    Q5_0 = 8,
    Q5_1 = 9,
    Q2_K = 10,
    Q3_K_S = 11,
    Q3_K_M = 12,
    Q3_K_L = 13,
    Q4_K_S = 14,
    Q4_K_M = 15,
    Q5_K_S = 16,
    Q5_K_M = 17,
    Q6_K = 18,
    Q2_K_S = 21,
    IQ4_NL = 25,
    BF16 = 32,
#pragma warning restore CS1591
}
