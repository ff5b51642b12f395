using System.Runtime.InteropServices;
using Puna.Formats.Safetensors;
using Puna.Tensors;

namespace Puna.Models.Tests;

/// <summary>Reads the numbers that reference implementations produced.</summary>
internal static class GoldenIo
{
    public static int[] Ints(this SafetensorsFile file, string name)
    {
        Tensor t = file.GetTensor(name);
        Assert.Equal(DType.I64, t.DType);
        return [.. Bytes<long>(t).Select(x => (int)x)];
    }

    public static float[] Floats(this SafetensorsFile file, string name)
    {
        Tensor t = file.GetTensor(name);
        Assert.Equal(DType.F32, t.DType);
        return Bytes<float>(t);
    }

    public static double MaxDifference(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        double worst = 0;
        for (int i = 0; i < expected.Length; i++)
        {
            worst = Math.Max(worst, double.IsNaN(actual[i]) ? double.PositiveInfinity : Math.Abs((double)expected[i] - actual[i]));
        }

        return worst;
    }

    private static T[] Bytes<T>(Tensor t)
        where T : unmanaged
    {
        var values = new T[t.Shape.Count];
        int columns = (int)t.Columns;
        for (int r = 0; r < t.Rows; r++)
        {
            t.Row<T>(r).CopyTo(values.AsSpan(r * columns));
        }

        return values;
    }
}
