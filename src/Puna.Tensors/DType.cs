namespace Puna.Tensors;

/// <summary>
/// The type of a tensor's elements. Values below 200 are the ids that GGUF files use (spec llama1-3.md 3.4), so a GGUF type id converts by a cast
/// after <see cref="DTypes.IsDefined"/>; the others occur in safetensors only.
/// </summary>
public enum DType : byte
{
#pragma warning disable CS1591 // each name is the name of a format; sizes are in DTypes, layouts in Quantization/
    F32 = 0,
    F16 = 1,
    Q4_0 = 2,
    Q4_1 = 3,
    Q5_0 = 6,
    Q5_1 = 7,
    Q8_0 = 8,
    Q2_K = 10,
    Q3_K = 11,
    Q4_K = 12,
    Q5_K = 13,
    Q6_K = 14,
    IQ2_XXS = 16,
    IQ2_XS = 17,
    IQ3_XXS = 18,
    IQ1_S = 19,
    IQ4_NL = 20,
    IQ3_S = 21,
    IQ2_S = 22,
    IQ4_XS = 23,
    I8 = 24,
    I16 = 25,
    I32 = 26,
    I64 = 27,
    F64 = 28,
    IQ1_M = 29,
    BF16 = 30,
    TQ1_0 = 34,
    TQ2_0 = 35,
    MXFP4 = 39,
    NVFP4 = 40,
    U8 = 200,
    U16 = 201,
    U32 = 202,
    U64 = 203,
    Bool = 204,
    F8_E4M3 = 205,
    F8_E5M2 = 206,
#pragma warning restore CS1591
}
