using Puna.Tensors.Kernels;
using Puna.Tensors.Kernels.Cpu;

namespace Puna.Tensors;

/// <summary>
/// Computes on the processor's cores; its own threads share each operation. One caller at a time: scratch memory is a stack, so whoever shares these operations with
/// others holds <see cref="Gate"/> from <see cref="Mark"/> to <see cref="Release"/>.
/// </summary>
public sealed partial class CpuOps : IOps, IDisposable
{
    private readonly Arena _arena = new();
    private readonly KernelThreadPool _threads;
    private readonly bool _ownsThreads;
    private Tensor _lastResult;

    /// <summary>Creates the operations.</summary>
    /// <param name="threads">Threads that compute; 0 means one per core.</param>
    /// <param name="path">Kernels to use; null means the best of this processor, or what the environment variable of <see cref="CpuFeatures"/> asks for.</param>
    public CpuOps(int threads = 0, CpuPath? path = null)
        : this(new KernelThreadPool(threads), path) => _ownsThreads = true;

    /// <summary>Creates the operations on threads that others use too.</summary>
    public CpuOps(KernelThreadPool threads, CpuPath? path = null)
    {
        _threads = threads;
        Path = path ?? CpuFeatures.Chosen;
    }

    /// <summary>Held for the length of a pass by callers that share these operations.</summary>
    public Lock Gate { get; } = new();

    /// <summary>The kernels in use.</summary>
    public CpuPath Path { get; }

    /// <summary>Threads that compute.</summary>
    public int Threads => _threads.Threads;

    /// <inheritdoc/>
    public string? PackedVersion => PackedMatrix.Version;

    /// <summary>Bytes of scratch memory held.</summary>
    public long ScratchBytes => _arena.ByteLength;

    /// <summary>Frees the scratch memory and ends the threads, after the pass that holds <see cref="Gate"/>.</summary>
    public void Dispose()
    {
        lock (Gate)
        {
            _arena.Dispose();
            if (_ownsThreads)
            {
                _threads.Dispose();
            }
        }
    }

    /// <summary>Opens a scope: everything allocated until <see cref="Release"/> with its result is given back then.</summary>
    public ArenaMark Mark() => _arena.Mark();

    /// <summary>Ends a scope opened by <see cref="Mark"/>.</summary>
    public void Release(ArenaMark mark) => _arena.Release(mark);

    /// <inheritdoc/>
    public Tensor Allocate(Shape shape) => _arena.Allocate(shape);

    /// <inheritdoc/>
    public Tensor Run<TContext>(IBlock<TContext> block, Tensor x, TContext context, IOps? outer = null)
    {
        // The result of one block is the input of the next and of nothing else: it is overwritten in place.
        Tensor result = x == _lastResult ? x : _arena.Allocate(x.Shape);
        ArenaMark mark = _arena.Mark();
        Tensor y = block.Forward(outer ?? this, x, context);
        if (y.Shape != x.Shape)
        {
            throw new InvalidOperationException($"block: expected output {x.Shape}, got {y.Shape}");
        }

        Copy(y, result);
        _arena.Release(mark);
        return _lastResult = result;
    }

    private static void RequireFloat(Tensor x, string what)
    {
        if (x.DType != DType.F32 || !x.IsContiguous)
        {
            throw new InvalidOperationException($"{what}: expected contiguous float32, got {x.DType.Name()}");
        }
    }

    private static void RequireSame(Tensor a, Tensor b, string what)
    {
        if (a.Shape != b.Shape)
        {
            throw new InvalidOperationException($"{what}: expected equal shapes, got {a.Shape} and {b.Shape}");
        }
    }
}
