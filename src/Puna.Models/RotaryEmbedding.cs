using Puna.Tensors;

namespace Puna.Models;

/// <summary>Cosines and sines of the rotary angles of a batch, computed once per pass and used by all layers.</summary>
public static class RotaryEmbedding
{
    /// <summary>Computes the angles: position times frequency in float32, as the reference does.</summary>
    /// <param name="ops">The device.</param>
    /// <param name="config">Base, scaling and head size.</param>
    /// <param name="batch">The tokens.</param>
    /// <param name="chunk">Where positions begin anew at its multiples: layers that see one chunk need the differences within it only.</param>
    /// <returns>Cosines and sines, each <c>[tokens, headDim / 2]</c>.</returns>
    public static (Tensor Cos, Tensor Sin) Angles(IOps ops, LlamaConfig config, Batch batch, int chunk = int.MaxValue)
    {
        int half = config.HeadDim / 2;
        var shape = new Shape(batch.Count, half);
        Tensor cos = ops.Allocate(shape);
        Tensor sin = ops.Allocate(shape);
        Span<float> frequencies = stackalloc float[half];
        float magnitude = 1;
        for (int s = 0; s < batch.Sequences; s++)
        {
            if (s == 0 || config.RopeScaling is RopeScaling.Dynamic)
            {
                magnitude = RotaryFrequencies.Compute(config, batch.Positions[batch.Starts[s + 1] - 1] + 1, frequencies);
            }

            for (int row = batch.Starts[s]; row < batch.Starts[s + 1]; row++)
            {
                Span<float> c = cos.Row<float>(row);
                Span<float> z = sin.Row<float>(row);
                float position = batch.Positions[row] % chunk;
                for (int i = 0; i < half; i++)
                {
                    // The cosine of the float32 angle, computed in double: MathF.Cos differs between platforms.
                    (double sine, double cosine) = Math.SinCos(position * frequencies[i]);
                    c[i] = (float)cosine * magnitude;
                    z[i] = (float)sine * magnitude;
                }
            }
        }

        return (cos, sin);
    }
}
