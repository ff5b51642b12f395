namespace Puna.Tensors.Kernels.Cpu.Gradients;

/// <summary>Gradient of <see cref="Rotate"/>: turns back by the same angles, from interleaved order to the layout that the input had. An item is a token.</summary>
internal unsafe struct RotateBack : IKernelJob
{
    /// <summary>Gradient by the output <c>[tokens, heads, headDim]</c>, interleaved, and by the input.</summary>
    public float* Dy;
    public float* Dx;

    /// <summary>Angles <c>[tokens, headDim / 2]</c>.</summary>
    public float* Cos;
    public float* Sin;

    public int Heads;
    public int HeadDim;
    public RopeLayout Layout;

    /// <summary>Whether to add to what stands in <see cref="Dx"/>.</summary>
    public bool Add;

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
            float* dy = Dy + at;
            float* dx = Dx + at;
            for (int i = 0; i < half; i++)
            {
                float a = (dy[2 * i] * cos[i]) + (dy[(2 * i) + 1] * sin[i]);
                float b = (dy[(2 * i) + 1] * cos[i]) - (dy[2 * i] * sin[i]);
                dx[i * step] = Add ? dx[i * step] + a : a;
                dx[(i * step) + apart] = Add ? dx[(i * step) + apart] + b : b;
            }
        }
    }
}
