namespace Puna.Tensors.Kernels.Cpu;

/// <summary>Two jobs of the same items, one right after the other on each item: the second finds in the nearest cache what the first wrote, and threads meet once instead of twice.</summary>
internal struct Then<TFirst, TSecond> : IKernelJob
    where TFirst : unmanaged, IKernelJob
    where TSecond : unmanaged, IKernelJob
{
    public TFirst First;
    public TSecond Second;

    public readonly void Execute(int item, int worker)
    {
        First.Execute(item, worker);
        Second.Execute(item, worker);
    }
}
