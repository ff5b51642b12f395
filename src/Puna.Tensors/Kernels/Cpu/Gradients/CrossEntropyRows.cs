using System.Runtime.CompilerServices;

namespace Puna.Tensors.Kernels.Cpu.Gradients;

/// <summary>
/// Per row of logits: nll = lse - z[target], and the logits replaced by the gradient scale (softmax - onehot) (spec training.md 1.2). An item is a row.
/// </summary>
internal unsafe struct CrossEntropyRows : IVectorJob
{
    /// <summary>Logits <c>[rows, columns]</c>; overwritten by the gradient.</summary>
    public float* Z;

    /// <summary>Per row the id to predict.</summary>
    public int* Targets;

    /// <summary>Per row its weight divided by the normaliser.</summary>
    public float* Scales;

    /// <summary>Receives the negative log likelihood of each row, in nats.</summary>
    public float* Nll;

    public int Columns;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public readonly void Execute<S, V>(int item, int worker)
        where S : struct, ISimd<V>
        where V : unmanaged
    {
        float* z = Z + ((nint)item * Columns);
        float* lanes = stackalloc float[Lanes.Count];
        int whole = Columns - (Columns % Lanes.Count);
        float largest = Largest<S, V>(z, lanes, whole);
        V most = S.Splat(largest);
        for (int j = 0; j < Lanes.Count; j += S.Width)
        {
            V sum = S.Splat(0);
            for (int i = j; i < whole; i += Lanes.Count)
            {
                V e = VectorMath.Exp<S, V>(S.Sub(S.Load(z + i), most));
                sum = S.Add(sum, e);
            }

            S.Store(sum, lanes + j);
        }

        for (int i = whole; i < Columns; i++)
        {
            lanes[i % Lanes.Count] += VectorMath.Exp<Simd1, float>(z[i] - largest);
        }

        float lse = largest + MathF.Log(Lanes.Sum(lanes));
        Nll[item] = lse - z[Targets[item]];
        V scale = S.Splat(Scales[item]);
        V shift = S.Splat(lse);
        for (int i = 0; i < whole; i += S.Width)
        {
            S.Store(S.Mul(VectorMath.Exp<S, V>(S.Sub(S.Load(z + i), shift)), scale), z + i);
        }

        for (int i = whole; i < Columns; i++)
        {
            z[i] = VectorMath.Exp<Simd1, float>(z[i] - lse) * Scales[item];
        }

        z[Targets[item]] -= Scales[item];
    }

    private readonly float Largest<S, V>(float* z, float* lanes, int whole)
        where S : struct, ISimd<V>
        where V : unmanaged
    {
        float largest = float.NegativeInfinity;
        if (whole > 0)
        {
            V most = S.Load(z);
            for (int i = 0; i < whole; i += S.Width)
            {
                most = S.Max(most, S.Load(z + i));
            }

            S.Store(most, lanes);
            for (int i = 0; i < S.Width; i++)
            {
                largest = Math.Max(largest, lanes[i]);
            }
        }

        for (int i = whole; i < Columns; i++)
        {
            largest = Math.Max(largest, z[i]);
        }

        return largest;
    }
}
