using System.Runtime.CompilerServices;
using Puna.Tensors.Kernels.Cpu;
using Puna.Tensors.Kernels.Cpu.Quantization;

namespace Puna.Tensors;

/// <summary>The part that hands addresses to kernels.</summary>
public sealed unsafe partial class CpuOps
{
    // Below this many multiply-adds another thread costs more than it saves.
    private const long WorthSharing = 1 << 15;

    /// <inheritdoc/>
    public Tensor Gather(Weight table, ReadOnlySpan<int> rows)
    {
        Tensor source = table.Master;
        RequireDecodable(table);
        Tensor y = _arena.Allocate(new Shape(rows.Length, source.Columns));
        for (int i = 0; i < rows.Length; i++)
        {
            if ((uint)rows[i] >= (uint)source.Rows)
            {
                throw new PunaException($"token id: expected 0 to {source.Rows - 1}, got {rows[i]}");
            }

            DequantizeKernels.DequantizeRow(source.DType, Path, (byte*)source.Address + (rows[i] * source.RowStride), (float*)y.Address + (i * source.Columns), (int)source.Columns);
        }

        GC.KeepAlive(source.Storage);
        return y;
    }

    /// <inheritdoc/>
    public Tensor SelectRows(Tensor x, ReadOnlySpan<int> rows)
    {
        RequireFloat(x, "select rows");
        Tensor y = _arena.Allocate(new Shape(rows.Length, x.Columns));
        for (int i = 0; i < rows.Length; i++)
        {
            x.Row<float>(rows[i]).CopyTo(y.Row<float>(i));
        }

        return y;
    }

    /// <inheritdoc/>
    public void NormMatMul(Tensor x, Weight norm, float epsilon, ReadOnlySpan<Weight> w, Span<Tensor> y) => MatMul(RmsNorm(x, norm, epsilon), w, y);

    /// <inheritdoc/>
    public void MatMul(Tensor x, ReadOnlySpan<Weight> w, Span<Tensor> y)
    {
        RequireFloat(x, "matmul");
        int tokens = checked((int)x.Rows);
        for (int i = 0; i < w.Length; i++)
        {
            if (w[i].In != x.Columns)
            {
                throw new InvalidOperationException($"matmul {w[i]}: expected input [{tokens}, {w[i].In}], got {x.Shape}");
            }

            RequireDecodable(w[i]);
            y[i] = _arena.Allocate(new Shape(tokens, w[i].Out));
        }

        if (tokens == 0)
        {
            return;
        }

        ArenaMark mark = _arena.Mark();
        int k = (int)(x.Columns + 15) / 16 * 16;
        Tensor input = k == x.Columns ? x : Pad(x, k);
        Tensor scratch = _arena.Allocate(new Shape(_threads.Threads, (long)Kernels.Cpu.MatMul.ScratchFloats(k)));
        for (int i = 0; i < w.Length; i++)
        {
            Tensor m = w[i].Master;
            var job = new Kernels.Cpu.MatMul
            {
                Path = Path,
                DType = m.DType,
                W = (byte*)m.Address,
                WStride = m.RowStride,
                Out = w[i].Out,
                In = w[i].In,
                K = k,
                X = (float*)input.Address,
                XStride = k,
                Tokens = tokens,
                Y = (float*)y[i].Address,
                YStride = w[i].Out,
                Scratch = (float*)scratch.Address,
            };
            Share(ref job, job.Items, (long)w[i].Out * k * tokens);
            GC.KeepAlive(m.Storage);
        }

        GC.KeepAlive(x.Storage);
        _arena.Release(mark);
    }

    /// <inheritdoc/>
    public Tensor RmsNorm(Tensor x, Weight norm, float epsilon)
    {
        RequireFloat(x, "rms norm");
        RequireFloat(norm.Master, norm.Name);
        if (norm.Master.Shape.Count != x.Columns)
        {
            throw new InvalidOperationException($"rms norm {norm}: expected {x.Columns} values");
        }

        Tensor y = _arena.Allocate(x.Shape);
        var job = new Kernels.Cpu.RmsNorm { Path = Path, X = (float*)x.Address, W = (float*)norm.Master.Address, Y = (float*)y.Address, Columns = (int)x.Columns, Epsilon = epsilon };
        Share(ref job, (int)x.Rows, x.Shape.Count);
        GC.KeepAlive(x.Storage);
        GC.KeepAlive(norm.Master.Storage);
        return y;
    }

    /// <inheritdoc/>
    public Tensor Add(Tensor a, Tensor b) => Apply<AddOperation>(a, b, "add");

    /// <inheritdoc/>
    public Tensor SwiGlu(Tensor gate, Tensor up) => Apply<SwiGluOperation>(gate, up, "swiglu");

    /// <inheritdoc/>
    public Tensor AddBias(Tensor x, Weight bias)
    {
        RequireFloat(x, "add bias");
        RequireFloat(bias.Master, bias.Name);
        if (bias.Master.Shape.Count != x.Columns)
        {
            throw new InvalidOperationException($"bias {bias}: expected {x.Columns} values");
        }

        Tensor y = _arena.Allocate(x.Shape);
        var job = new Elementwise<AddOperation>
        {
            Path = Path, A = (float*)x.Address, B = (float*)bias.Master.Address, Y = (float*)y.Address, Step = (int)x.Columns, BStep = 0, Count = (nint)x.Shape.Count,
        };
        Share(ref job, job.Items, x.Shape.Count);
        GC.KeepAlive(x.Storage);
        GC.KeepAlive(bias.Master.Storage);
        return y;
    }

    /// <inheritdoc/>
    public Tensor Rope(Tensor x, Tensor cos, Tensor sin, RopeLayout layout)
    {
        Rotate job = PrepareRope(x, cos, sin, layout, out Tensor y);
        Share(ref job, (int)x.Rows, x.Shape.Count * 4);
        GC.KeepAlive(x.Storage);
        GC.KeepAlive(cos.Storage);
        GC.KeepAlive(sin.Storage);
        return y;
    }

    /// <inheritdoc/>
    public void Read(Tensor x, Span<float> host)
    {
        RequireFloat(x, "read");
        new ReadOnlySpan<float>((float*)x.Address, checked((int)x.Shape.Count)).CopyTo(host);
        GC.KeepAlive(x.Storage);
    }

    private Rotate PrepareRope(Tensor x, Tensor cos, Tensor sin, RopeLayout layout, out Tensor y)
    {
        RequireFloat(x, "rope");
        RequireSame(cos, sin, "rope");
        int headDim = checked((int)cos.Columns * 2);
        if (cos.Rows != x.Rows || x.Columns % headDim != 0)
        {
            throw new InvalidOperationException($"rope {x.Shape}: expected {x.Rows} rows of angles that divide {x.Columns}, got {cos.Shape}");
        }

        y = _arena.Allocate(x.Shape);
        return new Rotate
        {
            X = (float*)x.Address, Y = (float*)y.Address, Cos = (float*)cos.Address, Sin = (float*)sin.Address,
            Heads = (int)x.Columns / headDim, HeadDim = headDim, Layout = layout,
        };
    }

    private static void RequireDecodable(Weight weight)
    {
        if (!Quantization.Dequantizer.Supports(weight.Master.DType))
        {
            throw new PunaException($"tensor {weight.Name}: expected floats or quantised blocks, got {weight.Master.DType.Name()}");
        }
    }

    private static void Copy(Tensor from, Tensor to) =>
        Buffer.MemoryCopy((void*)from.Address, (void*)to.Address, to.ByteLength, from.ByteLength);

    private Tensor Pad(Tensor x, int k)
    {
        Tensor padded = _arena.Allocate(new Shape(x.Rows, k));
        for (int i = 0; i < x.Rows; i++)
        {
            Span<float> row = padded.Row<float>(i);
            x.Row<float>(i).CopyTo(row);
            row[(int)x.Columns..].Clear();
        }

        return padded;
    }

    private Tensor Apply<TOperation>(Tensor a, Tensor b, string what)
        where TOperation : unmanaged, IBinaryOperation
    {
        RequireFloat(a, what);
        RequireFloat(b, what);
        RequireSame(a, b, what);
        Tensor y = _arena.Allocate(a.Shape);
        var job = new Elementwise<TOperation>
        {
            Path = Path,
            A = (float*)a.Address,
            B = (float*)b.Address,
            Y = (float*)y.Address,
            Step = Elementwise<TOperation>.Chunk,
            BStep = Elementwise<TOperation>.Chunk,
            Count = (nint)a.Shape.Count,
        };
        Share(ref job, job.Items, a.Shape.Count * 4);
        GC.KeepAlive(a.Storage);
        GC.KeepAlive(b.Storage);
        return y;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Share<TJob>(ref TJob job, int items, long work)
        where TJob : unmanaged, Kernels.IKernelJob
    {
        if (work < WorthSharing)
        {
            for (int i = 0; i < items; i++)
            {
                job.Execute(i, 0);
            }
        }
        else
        {
            _threads.Run(ref job, items);
        }
    }
}
