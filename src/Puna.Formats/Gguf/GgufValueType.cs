namespace Puna.Formats.Gguf;

/// <summary>Type ids of metadata values in GGUF files (spec llama1-3.md 3.3).</summary>
public enum GgufValueType : uint
{
#pragma warning disable CS1591, CA1720 // the names are the format's
    UInt8 = 0,
    Int8 = 1,
    UInt16 = 2,
    Int16 = 3,
    UInt32 = 4,
    Int32 = 5,
    Float32 = 6,
    Bool = 7,
    String = 8,
    Array = 9,
    UInt64 = 10,
    Int64 = 11,
    Float64 = 12,
#pragma warning restore CS1591, CA1720
}
