using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Puna.Tensors.Kernels.Cpu;

/// <summary>
/// Tiled attention with a running softmax. An item is a tile of query rows of one sequence and all query heads of one key-value head. Keys are visited in tiles
/// of 32 that are counted from the first key of the sequence, so a row meets the same tiles in the same order however the prompt was cut into batches; memory
/// is a few tiles per thread, never tokens times tokens.
/// </summary>
/// <remarks>
/// Per tile the keys are transposed once, so that scores of 32 keys are summed side by side over the head's dimensions in order; values are added in the order of
/// the keys. No sum depends on the vector width.
/// </remarks>
internal unsafe struct AttentionKernel : IKernelJob
{
    /// <summary>Keys visited at a time.</summary>
    public const int KeyTile = 32;

    /// <summary>Query rows of an item.</summary>
    public const int QueryTile = 8;

    public CpuPath Path;

    /// <summary>Queries <c>[tokens, heads, headDim]</c>.</summary>
    public float* Q;

    /// <summary>Keys of this batch <c>[tokens, kvHeads, headDim]</c>.</summary>
    public float* K;

    /// <summary>Values of this batch, as the keys.</summary>
    public float* V;

    /// <summary>Outputs <c>[tokens, heads, headDim]</c>.</summary>
    public float* Y;

    public int Heads;
    public int KvHeads;
    public int HeadDim;
    public float Scale;

    /// <summary>Per item: first query row, rows, index of the sequence in the batch, key-value head.</summary>
    public AttentionItem* ItemList;

    /// <summary>Per query row: first visible key and the end of the visible keys, counted from the sequence's first key.</summary>
    public int* KeyFirst;

    public int* KeyEnd;

    /// <summary>Per sequence: row of its first token in this batch, and number of its keys that are in the cache.</summary>
    public int* RowStart;

    public int* PastLength;

    /// <summary>Per sequence: index of its first block address in <see cref="Blocks"/>.</summary>
    public int* BlockStart;

    /// <summary>Block addresses of this layer: <see cref="BlockSize"/> key rows, then as many value rows, <c>[kvHeads, headDim]</c> each.</summary>
    public nint* Blocks;

    public int BlockSize;

    /// <summary>Per worker, <see cref="ScratchFloats"/> floats.</summary>
    public float* Scratch;

    /// <summary>Floats of scratch one worker needs.</summary>
    public static nint ScratchFloats(int group, int headDim) =>
        ((nint)KeyTile * headDim) + (QueryTile * group * (KeyTile + headDim + 2)) + (2 * KeyTile * sizeof(long) / sizeof(float));

    public readonly void Execute(int item, int worker)
    {
        float* scratch = Scratch + (worker * ScratchFloats(Heads / KvHeads, HeadDim));
        switch (Path)
        {
            case CpuPath.Avx512:
                Run<Simd512, Vector512<float>>(ItemList + item, scratch);
                break;
            case CpuPath.Avx2:
                Run<Simd256, Vector256<float>>(ItemList + item, scratch);
                break;
            case CpuPath.Vector128:
                Run<Simd128, Vector128<float>>(ItemList + item, scratch);
                break;
            default:
                Run<Simd1, float>(ItemList + item, scratch);
                break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void Run<S, TV>(AttentionItem* item, float* scratch)
        where S : struct, ISimd<TV>
        where TV : unmanaged
    {
        int group = Heads / KvHeads;
        int queries = item->Rows * group;
        float** keyRows = (float**)scratch;
        float** valueRows = keyRows + KeyTile;
        float* keys = (float*)(valueRows + KeyTile);
        float* scores = keys + (KeyTile * HeadDim);
        float* sums = scores + (QueryTile * group * KeyTile);
        float* largest = sums + (QueryTile * group * HeadDim);
        float* total = largest + (QueryTile * group);
        new Span<float>(sums, queries * HeadDim).Clear();
        for (int q = 0; q < queries; q++)
        {
            largest[q] = float.NegativeInfinity;
            total[q] = 0;
        }

        int first = int.MaxValue;
        int end = 0;
        for (int r = 0; r < item->Rows; r++)
        {
            first = Math.Min(first, KeyFirst[item->FirstRow + r]);
            end = Math.Max(end, KeyEnd[item->FirstRow + r]);
        }

        for (int tile = first / KeyTile * KeyTile; tile < end; tile += KeyTile)
        {
            int count = Math.Min(KeyTile, end - tile);
            Locate(item, tile, count, keyRows, valueRows);
            Transpose(keyRows, count, keys);
            for (int r = 0; r < item->Rows; r++)
            {
                int row = item->FirstRow + r;
                int from = Math.Max(KeyFirst[row] - tile, 0);
                int to = Math.Min(KeyEnd[row] - tile, count);
                if (from >= to)
                {
                    continue;
                }

                for (int g = 0; g < group; g++)
                {
                    int q = (r * group) + g;
                    float* query = Q + ((((nint)row * Heads) + (item->KvHead * group) + g) * HeadDim);
                    float* score = scores + (q * KeyTile);
                    Scores<S, TV>(query, keys, score);
                    Accumulate<S, TV>(score, from, to, valueRows, sums + (q * HeadDim), largest + q, total + q);
                }
            }
        }

        for (int r = 0; r < item->Rows; r++)
        {
            for (int g = 0; g < group; g++)
            {
                int q = (r * group) + g;
                float* y = Y + ((((nint)(item->FirstRow + r) * Heads) + (item->KvHead * group) + g) * HeadDim);
                float* sum = sums + (q * HeadDim);
                for (int d = 0; d < HeadDim; d++)
                {
                    // A row that sees no key at all gives zeros, not 0 / 0.
                    y[d] = total[q] == 0 ? 0 : sum[d] / total[q];
                }
            }
        }
    }

    /// <summary>Finds the rows of keys [tile, tile + count): in the cache, or behind it in this batch.</summary>
    private readonly void Locate(AttentionItem* item, int tile, int count, float** keyRows, float** valueRows)
    {
        int past = PastLength[item->Sequence];
        nint rowFloats = (nint)KvHeads * HeadDim;
        for (int j = 0; j < count; j++)
        {
            int key = tile + j;
            if (key < past)
            {
                float* block = (float*)Blocks[BlockStart[item->Sequence] + (key / BlockSize)];
                keyRows[j] = block + (key % BlockSize * rowFloats) + ((nint)item->KvHead * HeadDim);
                valueRows[j] = keyRows[j] + (BlockSize * rowFloats);
            }
            else
            {
                nint at = ((RowStart[item->Sequence] + key - past) * rowFloats) + ((nint)item->KvHead * HeadDim);
                keyRows[j] = K + at;
                valueRows[j] = V + at;
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void Transpose(float** rows, int count, float* keys)
    {
        for (int j = 0; j < count; j++)
        {
            float* row = rows[j];
            for (int d = 0; d < HeadDim; d++)
            {
                keys[(d * KeyTile) + j] = row[d];
            }
        }

        // Lanes without a key must hold numbers: what they give is never read.
        for (int j = count; j < KeyTile; j++)
        {
            for (int d = 0; d < HeadDim; d++)
            {
                keys[(d * KeyTile) + j] = 0;
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void Scores<S, TV>(float* query, float* keys, float* score)
        where S : struct, ISimd<TV>
        where TV : unmanaged
    {
        TV scale = S.Splat(Scale);
        int j = 0;
        for (; j + (4 * S.Width) <= KeyTile; j += 4 * S.Width)
        {
            TV a = S.Splat(0), b = a, c = a, e = a;
            for (int d = 0; d < HeadDim; d++)
            {
                TV q = S.Splat(query[d]);
                float* k = keys + (d * KeyTile) + j;
                a = S.Fma(q, S.Load(k), a);
                b = S.Fma(q, S.Load(k + S.Width), b);
                c = S.Fma(q, S.Load(k + (2 * S.Width)), c);
                e = S.Fma(q, S.Load(k + (3 * S.Width)), e);
            }

            S.Store(S.Mul(a, scale), score + j);
            S.Store(S.Mul(b, scale), score + j + S.Width);
            S.Store(S.Mul(c, scale), score + j + (2 * S.Width));
            S.Store(S.Mul(e, scale), score + j + (3 * S.Width));
        }

        for (; j < KeyTile; j += S.Width)
        {
            TV a = S.Splat(0);
            for (int d = 0; d < HeadDim; d++)
            {
                a = S.Fma(S.Splat(query[d]), S.Load(keys + (d * KeyTile) + j), a);
            }

            S.Store(S.Mul(a, scale), score + j);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void Accumulate<S, TV>(float* score, int from, int to, float** valueRows, float* sum, float* largest, float* total)
        where S : struct, ISimd<TV>
        where TV : unmanaged
    {
        float top = *largest;
        for (int j = from; j < to; j++)
        {
            // Not MathF.Max: its NaN handling costs more than it is worth here; a NaN score reaches the sum below and spoils the row, as it should.
            top = score[j] > top ? score[j] : top;
        }

        if (top > *largest)
        {
            float shrink = VectorMath.Exp<Simd1, float>(*largest - top);
            shrink = float.IsNegativeInfinity(*largest) ? 0 : shrink;
            *total *= shrink;
            int d = 0;
            for (; d + S.Width <= HeadDim; d += S.Width)
            {
                S.Store(S.Mul(S.Load(sum + d), S.Splat(shrink)), sum + d);
            }

            for (; d < HeadDim; d++)
            {
                sum[d] *= shrink;
            }

            *largest = top;
        }

        TV subtract = S.Splat(top);
        for (int j = 0; j < KeyTile; j += S.Width)
        {
            S.Store(VectorMath.Exp<S, TV>(S.Sub(S.Load(score + j), subtract)), score + j);
        }

        for (int j = from; j < to; j++)
        {
            *total += score[j];
        }

        int i = 0;
        for (; i + (4 * S.Width) <= HeadDim; i += 4 * S.Width)
        {
            TV a = S.Load(sum + i);
            TV b = S.Load(sum + i + S.Width);
            TV c = S.Load(sum + i + (2 * S.Width));
            TV e = S.Load(sum + i + (3 * S.Width));
            for (int j = from; j < to; j++)
            {
                TV p = S.Splat(score[j]);
                float* v = valueRows[j] + i;
                a = S.Fma(p, S.Load(v), a);
                b = S.Fma(p, S.Load(v + S.Width), b);
                c = S.Fma(p, S.Load(v + (2 * S.Width)), c);
                e = S.Fma(p, S.Load(v + (3 * S.Width)), e);
            }

            S.Store(a, sum + i);
            S.Store(b, sum + i + S.Width);
            S.Store(c, sum + i + (2 * S.Width));
            S.Store(e, sum + i + (3 * S.Width));
        }

        for (; i + S.Width <= HeadDim; i += S.Width)
        {
            TV a = S.Load(sum + i);
            for (int j = from; j < to; j++)
            {
                a = S.Fma(S.Splat(score[j]), S.Load(valueRows[j] + i), a);
            }

            S.Store(a, sum + i);
        }

        for (; i < HeadDim; i++)
        {
            for (int j = from; j < to; j++)
            {
                sum[i] = MathF.FusedMultiplyAdd(score[j], valueRows[j][i], sum[i]);
            }
        }
    }
}
