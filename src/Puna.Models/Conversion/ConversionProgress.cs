namespace Puna.Models.Conversion;

/// <summary>How far a conversion is.</summary>
/// <param name="Tensor">The tensor being written.</param>
/// <param name="BytesWritten">Bytes of the result so far.</param>
/// <param name="TotalBytes">Bytes of the result's tensors.</param>
public readonly record struct ConversionProgress(string Tensor, long BytesWritten, long TotalBytes);
