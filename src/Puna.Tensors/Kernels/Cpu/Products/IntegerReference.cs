using Puna.Tensors.Quantization;

namespace Puna.Tensors.Kernels.Cpu.Products;

/// <summary>The scalar twin: the product as it is defined, one row and one input at a time.</summary>
internal static unsafe class IntegerReference
{
    /// <summary>One weight row times one input row.</summary>
    /// <param name="tile">The packed tile.</param>
    /// <param name="row">Row in the tile.</param>
    /// <param name="supers">Super-blocks per row.</param>
    /// <param name="x">The input row.</param>
    public static float Multiply<TForm>(byte* tile, int row, int supers, in QuantizedRows x)
        where TForm : struct, IIntegerForm
    {
        float sum = 0;
        int zero = IntegerLayout<TForm>.Zero;
        for (int s = 0; s < supers; s++)
        {
            float f = 0;
            for (int b = 0; b < IntegerLayout<TForm>.Blocks; b++)
            {
                int block = (s * IntegerLayout<TForm>.Blocks) + b;
                uint* words = (uint*)(tile + IntegerLayout<TForm>.Codes + (b * IntegerLayout<TForm>.BlockBytes)) + row;
                int total = 0;
                for (int k = 0; k < 32; k++)
                {
                    int group = (b * IntegerLayout<TForm>.BlockGroups) + (k * IntegerLayout<TForm>.BlockGroups / 32);
                    total += (IntegerPacker.Code<TForm>(words, k) - zero) * IntegerPacker.Scale<TForm>(tile, group, row) * x.Q[(32 * block) + QuantizedRows.Place(k)];
                }

                f = IntegerLayout<TForm>.Blocks == 1 ? total * x.Scales[block] : MathF.FusedMultiplyAdd(total, x.Scales[block], f);
            }

            sum = MathF.FusedMultiplyAdd(f, FloatBits.FromHalf(((ushort*)tile)[row]), sum);
            if (IntegerLayout<TForm>.HasLeast)
            {
                float* means = (IntegerLayout<TForm>.BlockGroups == 2 ? x.Means16 : x.Means32) + (s * IntegerLayout<TForm>.Groups);
                float g = IntegerLayout<TForm>.HasMinima ? 0 : means[0];
                for (int i = 0; IntegerLayout<TForm>.HasMinima && i < IntegerLayout<TForm>.Groups; i++)
                {
                    g = MathF.FusedMultiplyAdd(tile[IntegerLayout<TForm>.Minima + (16 * i) + row], means[i], g);
                }

                sum = MathF.FusedMultiplyAdd(g, FloatBits.FromHalf(((ushort*)(tile + IntegerLayout<TForm>.Least))[row]), sum);
            }

            tile += IntegerLayout<TForm>.Bytes;
        }

        return sum;
    }
}
