namespace Puna.Tensors.Tests.Ops;

internal static class TestData
{
    public static Tensor Random(int seed, params long[] shape)
    {
        var random = new Random(seed);
        var s = new Shape(shape);
        var values = new float[s.Count];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = (float)((random.NextDouble() * 2) - 1);
        }

        return Tensor.From(values, s);
    }

    public static float[] Values(this Tensor x)
    {
        var values = new float[x.Shape.Count];
        for (int r = 0; r < x.Rows; r++)
        {
            x.Row<float>(r).CopyTo(values.AsSpan(r * (int)x.Columns));
        }

        return values;
    }
}
