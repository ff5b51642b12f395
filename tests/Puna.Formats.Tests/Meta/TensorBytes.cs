using System.Runtime.InteropServices;
using Puna.Tensors;

namespace Puna.Formats.Tests.Meta;

/// <summary>Values of tensors as plain arrays.</summary>
internal static class TensorBytes
{
    public static byte[] Of(Tensor tensor)
    {
        var bytes = new List<byte>();
        for (long row = 0; row < tensor.Rows; row++)
        {
            bytes.AddRange(tensor.Row<byte>(row));
        }

        return [.. bytes];
    }

    public static float[] Floats(Tensor tensor) => tensor.DType switch
    {
        DType.F32 => MemoryMarshal.Cast<byte, float>(Of(tensor)).ToArray(),
        DType.F16 => [.. MemoryMarshal.Cast<byte, Half>(Of(tensor)).ToArray().Select(x => (float)x)],
        _ => throw new ArgumentException($"no floats in {tensor.DType}"),
    };

    public static byte[] From(params float[] values) => MemoryMarshal.AsBytes<float>(values).ToArray();
}
