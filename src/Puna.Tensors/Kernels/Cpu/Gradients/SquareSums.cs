namespace Puna.Tensors.Kernels.Cpu.Gradients;

/// <summary>Sums of squares of stretches of values, in double; an item is a stretch. The stretches are added in order by the caller, so that threads change no bit.</summary>
internal unsafe struct SquareSums : IKernelJob
{
    public const int Chunk = 16384;

    public float* X;
    public nint Count;

    /// <summary>One sum per item.</summary>
    public double* Sums;

    public readonly int Items => (int)((Count + Chunk - 1) / Chunk);

    public readonly void Execute(int item, int worker)
    {
        nint i = (nint)item * Chunk;
        nint end = Math.Min(Count, i + Chunk);
        double a = 0, b = 0, c = 0, d = 0;
        for (; i + 4 <= end; i += 4)
        {
            a += (double)X[i] * X[i];
            b += (double)X[i + 1] * X[i + 1];
            c += (double)X[i + 2] * X[i + 2];
            d += (double)X[i + 3] * X[i + 3];
        }

        for (; i < end; i++)
        {
            a += (double)X[i] * X[i];
        }

        Sums[item] = a + b + c + d;
    }
}
