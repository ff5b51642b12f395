using System.Runtime.Intrinsics;

namespace Puna.Tensors.Kernels.Cpu;

/// <summary>A kernel written over vectors of any width.</summary>
internal interface IVectorJob
{
    /// <summary>Computes one item.</summary>
    void Execute<S, V>(int item, int worker)
        where S : struct, ISimd<V>
        where V : unmanaged;
}

/// <summary>Runs a kernel with the vectors of a path.</summary>
internal struct OnPath<TJob> : IKernelJob
    where TJob : unmanaged, IVectorJob
{
    public CpuPath Path;
    public TJob Job;

    public readonly void Execute(int item, int worker)
    {
        switch (Path)
        {
            case CpuPath.Avx512:
                Job.Execute<Simd512, Vector512<float>>(item, worker);
                break;
            case CpuPath.Avx2:
                Job.Execute<Simd256, Vector256<float>>(item, worker);
                break;
            case CpuPath.Vector128:
                Job.Execute<Simd128, Vector128<float>>(item, worker);
                break;
            default:
                Job.Execute<Simd1, float>(item, worker);
                break;
        }
    }
}
