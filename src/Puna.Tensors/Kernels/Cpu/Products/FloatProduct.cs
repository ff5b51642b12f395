using System.Runtime.Intrinsics;
using Puna.Tensors.Kernels.Cpu.Quantization;
using Puna.Tensors.Quantization;

namespace Puna.Tensors.Kernels.Cpu.Products;

/// <summary>
/// y = x W^T in float32: float weights exactly, and block types without an integer form after decoding them. The order of the sums is that of <see cref="FloatPanels{TSimd, I, F}"/>.
/// </summary>
internal unsafe struct FloatProduct : IKernelJob
{
    private const int Chunk = 256;

    /// <summary>Weight, outputs and the way they are cut.</summary>
    public ProductTiles Tiles;

    /// <summary>Inputs <c>[tokens, K]</c>.</summary>
    public float* X;

    /// <summary>Floats from an input row to the next.</summary>
    public nint XStride;

    /// <summary>Inputs per row.</summary>
    public int K;

    /// <summary>Floats of scratch one worker needs: sums, two panels, decoded rows.</summary>
    public static nint ScratchFloats =>
        (ProductTiles.PanelTiles * PackedMatrix.TileRows * ProductTiles.ItemTokens) + (ProductTiles.PanelTiles * Chunk * PackedMatrix.TileRows) + Chunk;

    /// <inheritdoc/>
    public readonly void Execute(int item, int worker)
    {
        float* scratch = Tiles.Scratch + (worker * Tiles.ScratchFloats);
        switch (Tiles.Path)
        {
            case CpuPath.Avx512: Vectors<Pairs512, Vector512<int>, Vector512<float>>(item, scratch); break;
            case CpuPath.Avx2: Vectors<Pairs256, Vector256<int>, Vector256<float>>(item, scratch); break;
            case CpuPath.Vector128: Vectors<Pairs128, Vector128<int>, Vector128<float>>(item, scratch); break;
            default: Scalar(item, scratch); break;
        }
    }

    private readonly void Vectors<TSimd, I, F>(int item, float* scratch)
        where TSimd : struct, IPairSimd<I, F>
        where I : unmanaged
        where F : unmanaged
    {
        (int first, int tokens) = Tiles.TokensOf(item);
        (int tile, int tiles) = Tiles.TilesOf(item);
        const int Stride = ProductTiles.PanelTiles * PackedMatrix.TileRows;
        float* sums = scratch;
        float* memory = scratch + (Stride * ProductTiles.ItemTokens);
        float** panels = stackalloc float*[ProductTiles.PanelTiles];
        new Span<float>(sums, tokens * Stride).Clear();
        bool halves = Tiles.Packed && Tiles.Type != DType.F32;
        bool direct = halves && Tiles.Tokens < IntegerProduct.WorthPanel;
        for (int k = 0; k < K; k += Chunk)
        {
            int inputs = Math.Min(Chunk, K - k);
            for (int i = 0; i < tiles; i++)
            {
                panels[i] = direct ? (float*)(Tiles.PackedTile(tile + i) + ((nint)k / 2 * PackedMatrix.TileRows * sizeof(uint)))
                    : Panel<TSimd, I, F>(tile + i, k, inputs, memory + (i * Chunk * PackedMatrix.TileRows), memory + (ProductTiles.PanelTiles * Chunk * PackedMatrix.TileRows));
            }

            for (int row = 0; row < tiles * PackedMatrix.TileRows; row += 2 * TSimd.Width)
            {
                int second = Math.Min(row + TSimd.Width, (tiles * PackedMatrix.TileRows) - TSimd.Width);
                float* w0 = panels[row / PackedMatrix.TileRows] + (row % PackedMatrix.TileRows);
                float* w1 = panels[second / PackedMatrix.TileRows] + (second % PackedMatrix.TileRows);
                Multiply<TSimd, I, F>(w0, w1, row, second, inputs, X + (first * XStride) + k, tokens, direct, sums);
            }
        }

        for (int i = 0; i < tiles; i++)
        {
            Tiles.Deliver(sums + (i * PackedMatrix.TileRows), Stride, tile + i, first, tokens);
        }
    }

    private readonly void Multiply<TSimd, I, F>(float* w0, float* w1, int row, int second, int inputs, float* x, int tokens, bool direct, float* sums)
        where TSimd : struct, IPairSimd<I, F>
        where I : unmanaged
        where F : unmanaged
    {
        // A lone tile is given twice to a vector as wide as it; its twin adds to the place of the tile that is not there.
        const int Stride = ProductTiles.PanelTiles * PackedMatrix.TileRows;
        int twin = row == second ? PackedMatrix.TileRows : second;
        for (int t = 0; t < tokens;)
        {
            int left = tokens - t;
            float* y0 = sums + (t * Stride) + row;
            float* y1 = sums + (t * Stride) + twin;
            float* from = x + (t * XStride);
            if (direct)
            {
                FloatPanels<TSimd, I, F>.MultiplyHalves((uint*)w0, (uint*)w1, Tiles.Type == DType.BF16, inputs, from, y0, y1);
                t++;
            }
            else if (left >= 6 && left != 8)
            {
                FloatPanels<TSimd, I, F>.Multiply6(w0, w1, inputs, from, XStride, y0, y1, Stride);
                t += 6;
            }
            else if (left >= 4)
            {
                FloatPanels<TSimd, I, F>.Multiply4(w0, w1, inputs, from, XStride, y0, y1, Stride);
                t += 4;
            }
            else
            {
                FloatPanels<TSimd, I, F>.Multiply1(w0, w1, inputs, from, y0, y1);
                t++;
            }
        }
    }

    /// <summary>The values <c>[inputs, 16]</c> of a tile from input <paramref name="k"/> on: where they are, or decoded into <paramref name="panel"/>.</summary>
    private readonly float* Panel<TSimd, I, F>(int tile, int k, int inputs, float* panel, float* decoded)
        where TSimd : struct, IPairSimd<I, F>
        where I : unmanaged
        where F : unmanaged
    {
        if (!Tiles.Packed)
        {
            Decode(tile, k, inputs, panel, decoded);
            return panel;
        }

        if (Tiles.Type == DType.F32)
        {
            return (float*)Tiles.PackedTile(tile) + ((nint)k * PackedMatrix.TileRows);
        }

        FloatPanels<TSimd, I, F>.FillHalves((uint*)Tiles.PackedTile(tile) + ((nint)k / 2 * PackedMatrix.TileRows), Tiles.Type == DType.BF16, inputs, panel);
        return panel;
    }

    private readonly void Decode(int tile, int k, int inputs, float* panel, float* decoded)
    {
        int rows = Tiles.RowsOf(tile);
        byte* source = Tiles.SourceTile(tile) + Tiles.Type.RowBytes(k);
        for (int r = 0; r < PackedMatrix.TileRows; r++)
        {
            float* row = decoded;
            if (r >= rows)
            {
                new Span<float>(decoded, inputs).Clear();
            }
            else if (Tiles.Type == DType.F32)
            {
                row = (float*)(source + (r * Tiles.Stride));
            }
            else
            {
                DequantizeKernels.DequantizeRow(Tiles.Type, Tiles.Path, source + (r * Tiles.Stride), decoded, inputs);
            }

            float* to = panel + r;
            for (int i = 0; i < inputs; i++)
            {
                *to = row[i];
                to += PackedMatrix.TileRows;
            }
        }
    }

    /// <summary>The scalar twin: the product as it is defined.</summary>
    private readonly void Scalar(int item, float* scratch)
    {
        (int first, int tokens) = Tiles.TokensOf(item);
        (int tile, int tiles) = Tiles.TilesOf(item);
        float* decoded = scratch;
        for (int r = tile * PackedMatrix.TileRows; r < Math.Min((tile + tiles) * PackedMatrix.TileRows, Tiles.Out); r++)
        {
            for (int t = first; t < first + tokens; t++)
            {
                Tiles.Y[((nint)t * Tiles.Out) + r] = 0;
            }

            for (int k = 0; k < K; k += Chunk)
            {
                int inputs = Math.Min(Chunk, K - k);
                ScalarRow(r, k, inputs, decoded);
                for (int t = first; t < first + tokens; t++)
                {
                    float* x = X + (t * XStride) + k;
                    float sum = 0;
                    for (int i = 0; i < inputs; i++)
                    {
                        sum = MathF.FusedMultiplyAdd(decoded[i], x[i], sum);
                    }

                    Tiles.Y[((nint)t * Tiles.Out) + r] += sum;
                }
            }
        }
    }

    private readonly void ScalarRow(int row, int k, int inputs, float* decoded)
    {
        if (!Tiles.Packed)
        {
            DequantizeKernels.DequantizeRow(Tiles.Type, CpuPath.Scalar, W(row) + Tiles.Type.RowBytes(k), decoded, inputs);
            return;
        }

        byte* packed = Tiles.PackedTile(row / PackedMatrix.TileRows);
        for (int i = 0; i < inputs; i++)
        {
            decoded[i] = FloatPacker.Value(Tiles.Type, packed, row % PackedMatrix.TileRows, k + i);
        }
    }

    private readonly byte* W(int row) => Tiles.W + (row * Tiles.Stride);
}
