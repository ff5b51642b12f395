using Puna.Tensors.Kernels.Cpu.Quantization;

namespace Puna.Tensors.Kernels.Cpu;

/// <summary>
/// y = x W^T for one weight of any type. An item is a tile of output rows: its weights are turned into float32 once (exactly; a copy is spared where they are
/// float32 already), then multiplied with every token by <see cref="DotTile"/>. What a row gives does not depend on the tile it is in, on the tokens beside it,
/// or on the thread.
/// </summary>
internal unsafe struct MatMul : IKernelJob
{
    /// <summary>Rows of a tile: a multiple of the three- and four-row kernels.</summary>
    public const int TileRows = 12;

    /// <summary>Kernel to use.</summary>
    public CpuPath Path;

    /// <summary>Type of the weight.</summary>
    public DType DType;

    /// <summary>First byte of the weight <c>[out, in]</c>.</summary>
    public byte* W;

    /// <summary>Bytes from a weight row to the next.</summary>
    public nint WStride;

    /// <summary>Rows of the weight.</summary>
    public int Out;

    /// <summary>Values per weight row.</summary>
    public int In;

    /// <summary><see cref="In"/> rounded up to a multiple of 16.</summary>
    public int K;

    /// <summary>Inputs <c>[tokens, K]</c>, padded with zeros.</summary>
    public float* X;

    /// <summary>Floats from an input row to the next.</summary>
    public nint XStride;

    /// <summary>Input rows.</summary>
    public int Tokens;

    /// <summary>Outputs <c>[tokens, out]</c>.</summary>
    public float* Y;

    /// <summary>Floats from an output row to the next.</summary>
    public nint YStride;

    /// <summary>Per worker, room for a tile of float32 weights; unused where the weight can be read in place.</summary>
    public float* Scratch;

    /// <summary>Whether the weight rows can be multiplied where they are.</summary>
    public readonly bool InPlace => DType == DType.F32 && In == K;

    /// <summary>Number of tiles.</summary>
    public readonly int Items => (Out + TileRows - 1) / TileRows;

    /// <summary>Floats of scratch one worker needs.</summary>
    public static nint ScratchFloats(int k) => (nint)TileRows * k;

    /// <inheritdoc/>
    public readonly void Execute(int item, int worker)
    {
        int first = item * TileRows;
        int rows = Math.Min(TileRows, Out - first);
        float* tile;
        nint stride;
        if (InPlace)
        {
            tile = (float*)(W + (first * WStride));
            stride = WStride / sizeof(float);
        }
        else
        {
            tile = Scratch + (worker * ScratchFloats(K));
            stride = K;
            for (int r = 0; r < rows; r++)
            {
                float* row = tile + (r * stride);
                DequantizeKernels.DequantizeRow(DType, Path, W + ((first + r) * WStride), row, In);
                for (int i = In; i < K; i++)
                {
                    row[i] = 0;
                }
            }
        }

        DotTile.Compute(Path, tile, stride, rows, X, XStride, Tokens, K, Y + first, YStride);
    }
}
