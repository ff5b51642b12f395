namespace Puna.Formats.Gguf;

/// <summary>One metadata value of a GGUF file.</summary>
/// <param name="Type">Type of the value; <see cref="GgufValueType.Array"/> for arrays.</param>
/// <param name="Value">The boxed number, the string, or for an array a <c>T[]</c> of the element type (<c>byte[]</c>, <c>float[]</c>, <c>string[]</c>,
/// <c>bool[]</c> ...), or a <c>GgufValue[]</c> for an array of arrays.</param>
/// <param name="ElementType">For an array, the type of its elements.</param>
public sealed record GgufValue(GgufValueType Type, object Value, GgufValueType? ElementType = null);
