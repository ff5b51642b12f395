using Puna.Tensors.Quantization;

namespace Puna.Tensors.Kernels.Cpu.Products;

/// <summary>The scalar twins: the products as they are defined, one row and one input at a time.</summary>
internal static unsafe class IntegerReference
{
    /// <summary>One weight row of codes of at most six bits times one input row of bytes.</summary>
    /// <param name="tile">The packed tile.</param>
    /// <param name="row">Row in the tile.</param>
    /// <param name="supers">Super-blocks per row.</param>
    /// <param name="x">The input row.</param>
    public static float Multiply<TForm>(byte* tile, int row, int supers, in QuadRows x)
        where TForm : struct, IIntegerForm
    {
        float sum = 0;
        int values = 32 / IntegerLayout<TForm>.BlockGroups; // of a group of weights, where inputs come in sixteens
        for (int s = 0; s < supers; s++)
        {
            float d = FloatBits.FromHalf(((ushort*)tile)[row]);
            float least = IntegerLayout<TForm>.HasLeast ? FloatBits.FromHalf(((ushort*)(tile + IntegerLayout<TForm>.Least))[row]) : 0;
            for (int g = 0; g < IntegerLayout<TForm>.Groups; g++)
            {
                int total = 0, inputs = 0;
                for (int k = g * values; k < (g + 1) * values; k++)
                {
                    uint* words = (uint*)(tile + IntegerLayout<TForm>.Codes + (k / 32 * IntegerLayout<TForm>.BlockBytes)) + row;
                    int at = (s * IntegerLayout<TForm>.Values) + k;
                    int input = (x.M[at / 16 * x.Lanes] & 0xFFFF) * ((sbyte*)(x.Q + (at / 4 * x.Lanes)))[at % 4];
                    total += (IntegerPacker.Code<TForm>(words, k % 32) - IntegerLayout<TForm>.Zero) * input;
                    inputs += input;
                }

                sum = MathF.FusedMultiplyAdd(total, d * IntegerPacker.Scale<TForm>(tile, g, row), sum);
                if (IntegerLayout<TForm>.HasLeast)
                {
                    float minimum = IntegerLayout<TForm>.HasMinima ? least * tile[IntegerLayout<TForm>.Minima + (16 * g) + row] : least;
                    sum = MathF.FusedMultiplyAdd(minimum, inputs, sum);
                }
            }

            tile += IntegerLayout<TForm>.Bytes;
        }

        return sum * x.Scale[0];
    }

    /// <summary>One weight row of signed bytes times one input row of 15-bit integers.</summary>
    /// <param name="tile">The packed tile.</param>
    /// <param name="row">Row in the tile.</param>
    /// <param name="blocks">Blocks per row.</param>
    /// <param name="x">The input row.</param>
    public static float Multiply(byte* tile, int row, int blocks, in PairRows x)
    {
        float sum = 0;
        for (int b = 0; b < blocks; b++)
        {
            uint* words = (uint*)(tile + IntegerLayout<Q8_0Form>.Codes) + row;
            int total = 0;
            for (int k = 0; k < 32; k++)
            {
                total += IntegerPacker.Code<Q8_0Form>(words, k) * x.Q[(32 * b) + PairRows.Place(k)];
            }

            sum = MathF.FusedMultiplyAdd(total * x.Scales[b], FloatBits.FromHalf(((ushort*)tile)[row]), sum);
            tile += IntegerLayout<Q8_0Form>.Bytes;
        }

        return sum;
    }
}
