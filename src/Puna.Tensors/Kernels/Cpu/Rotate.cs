namespace Puna.Tensors.Kernels.Cpu;

/// <summary>
/// Rotary position embedding of heads (spec llama1-3.md 2.3). Whatever pairing the weights were trained with, the result is in interleaved order, so that
/// attention and the cache know one order only and the same model gives the same bits from every checkpoint format. An item is a token.
/// </summary>
internal unsafe struct Rotate : IKernelJob
{
    /// <summary>Inputs <c>[tokens, heads, headDim]</c>.</summary>
    public float* X;

    /// <summary>Outputs of the same shape; not the same memory.</summary>
    public float* Y;

    /// <summary>Cosines <c>[tokens, headDim / 2]</c>.</summary>
    public float* Cos;

    /// <summary>Sines <c>[tokens, headDim / 2]</c>.</summary>
    public float* Sin;

    public int Heads;
    public int HeadDim;
    public RopeLayout Layout;

    public readonly void Execute(int item, int worker)
    {
        int half = HeadDim / 2;
        float* cos = Cos + ((nint)item * half);
        float* sin = Sin + ((nint)item * half);
        int step = Layout == RopeLayout.Interleaved ? 2 : 1;
        int apart = Layout == RopeLayout.Interleaved ? 1 : half;
        for (int h = 0; h < Heads; h++)
        {
            nint at = (((nint)item * Heads) + h) * HeadDim;
            float* x = X + at;
            float* y = Y + at;
            for (int i = 0; i < half; i++)
            {
                float a = x[i * step];
                float b = x[(i * step) + apart];
                y[2 * i] = (a * cos[i]) - (b * sin[i]);
                y[(2 * i) + 1] = (a * sin[i]) + (b * cos[i]);
            }
        }
    }
}
