using Puna.Tensors;

namespace Puna.Formats.Safetensors;

/// <summary>Names of element types in safetensors headers.</summary>
internal static class SafetensorsTypes
{
    private static readonly Dictionary<string, DType> _byName = new(StringComparer.Ordinal)
    {
        ["F64"] = DType.F64,
        ["F32"] = DType.F32,
        ["F16"] = DType.F16,
        ["BF16"] = DType.BF16,
        ["I64"] = DType.I64,
        ["I32"] = DType.I32,
        ["I16"] = DType.I16,
        ["I8"] = DType.I8,
        ["U64"] = DType.U64,
        ["U32"] = DType.U32,
        ["U16"] = DType.U16,
        ["U8"] = DType.U8,
        ["BOOL"] = DType.Bool,
        ["F8_E4M3"] = DType.F8_E4M3,
        ["F8_E5M2"] = DType.F8_E5M2,
    };

    private static readonly Dictionary<DType, string> _byType = _byName.ToDictionary(pair => pair.Value, pair => pair.Key);

    /// <summary>The type a header calls <paramref name="name"/> (upper case only, as the format has it).</summary>
    public static bool TryParse(string name, out DType type) => _byName.TryGetValue(name, out type);

    /// <summary>The name of a type, or null where safetensors has none.</summary>
    public static string? NameOf(DType type) => _byType.GetValueOrDefault(type);
}
