using System.Runtime.CompilerServices;
using Puna.Tensors.Kernels.Cpu;
using Puna.Tensors.Kernels.Cpu.Products;
using Puna.Tensors.Kernels.Cpu.Quantization;

namespace Puna.Tensors;

/// <summary>The part that hands addresses to kernels.</summary>
public sealed unsafe partial class CpuOps
{
    // Below this many multiply-adds another thread costs more than it saves.
    private const long WorthSharing = 1 << 15;

    // From so many rows on it pays to pack a matrix of floats for one product.
    private const int WorthPacking = 32;

    /// <inheritdoc/>
    public Tensor Gather(Weight table, ReadOnlySpan<int> rows)
    {
        RequireDecodable(table);
        Tensor y = _arena.Allocate(new Shape(rows.Length, table.In));
        for (int i = 0; i < rows.Length; i++)
        {
            if ((uint)rows[i] >= (uint)table.Out)
            {
                throw new PunaException($"token id: expected 0 to {table.Out - 1}, got {rows[i]}");
            }

            float* to = (float*)y.Address + ((nint)i * table.In);
            if (table.Packed is PackedMatrix packed)
            {
                PackedRows.Read(packed, rows[i], to);
            }
            else
            {
                Tensor source = table.Master;
                DequantizeKernels.DequantizeRow(source.DType, Path, (byte*)source.Address + (rows[i] * source.RowStride), to, table.In);
            }
        }

        KeepAlive(table);
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
    public void NormMatMul(Tensor x, Weight norm, float epsilon, ReadOnlySpan<Weight> w, Span<Tensor> y)
    {
        Kernels.Cpu.RmsNorm job = PrepareNorm(x, norm, epsilon, out Tensor normed);
        Products(normed, &job, w, y);
        GC.KeepAlive(x.Storage);
        GC.KeepAlive(norm.Master.Storage);
    }

    /// <inheritdoc/>
    public void MatMul(Tensor x, ReadOnlySpan<Weight> w, Span<Tensor> y)
    {
        RequireFloat(x, "matmul");
        Products(x, null, w, y);
    }

    /// <summary>Products with an input, which <paramref name="norm"/>, where there is one, has yet to write.</summary>
    private void Products(Tensor x, Kernels.Cpu.RmsNorm* norm, ReadOnlySpan<Weight> w, Span<Tensor> y)
    {
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

        // Few rows read packed weights directly; if one weight is not packed, all go through panels, so that they can share the quantised input.
        bool direct = Path != CpuPath.Scalar && tokens < IntegerProduct.WorthPanel;
        for (int i = 0; i < w.Length; i++)
        {
            direct &= w[i].Packed is { Layout: not PackedLayout.Rows };
        }

        PairRows pairs = default;
        QuadRows quads = default;
        bool many = tokens >= WorthPacking;
        for (int i = 0; i < w.Length; i++)
        {
            bool integer = IntegerForms.Supports(w[i].DType);
            if (!integer)
            {
                if (norm is not null)
                {
                    Share(ref *norm, tokens, x.Shape.Count);
                    norm = null;
                }
            }
            else if (IntegerProduct.TakesPairs(w[i].DType))
            {
                pairs = pairs.K == 0 ? Pairs(x, ref norm) : pairs;
            }
            else
            {
                quads = quads.K == 0 ? Quads(x, direct ? 1 : QuadRows.Together, ref norm) : quads;
            }

            if (many && w[i].Packed is null && w[i].DType == DType.F32)
            {
                // Training: a weight that changes after every step is packed for one product and read by all rows. The same bits.
                Multiply((float*)x.Address, w[i].In, 1, (float*)w[i].Master.Address, w[i].Master.RowStride / sizeof(float), true, (float*)y[i].Address, tokens, w[i].Out, w[i].In, false);
                KeepAlive(w[i]);
                continue;
            }

            Multiply(x, pairs, quads, w[i], y[i], integer, direct);
        }

        GC.KeepAlive(x.Storage);
        _arena.Release(mark);
    }

    /// <inheritdoc/>
    /// <remarks>Vectors are copied, so that nothing of the source is needed any more.</remarks>
    public Weight Pack(Weight weight)
    {
        if (weight.Packed is not null)
        {
            return weight;
        }

        if (weight.Shape.Rank != 2)
        {
            Tensor copy = Tensor.Create(weight.Shape, weight.DType);
            Copy(weight.Master, copy);
            GC.KeepAlive(weight.Master.Storage);
            return new Weight(weight.Name, copy);
        }

        return Pack(weight, new NativeStorage(PackedMatrix.Bytes(weight.DType, weight.Out, weight.In), clear: false), 0);
    }

    /// <summary>Packs a matrix into <see cref="PackedMatrix.Bytes"/> bytes of a storage, giving the pages of a mapped source back as it goes.</summary>
    /// <param name="weight">A matrix of floats or blocks, not packed.</param>
    /// <param name="storage">Writable memory.</param>
    /// <param name="offset">A multiple of 64.</param>
    /// <exception cref="PunaException">A scale or float16 value that is not finite, by the tensor's name.</exception>
    public Weight Pack(Weight weight, Storage storage, nint offset)
    {
        RequireDecodable(weight);
        Tensor m = weight.Master;
        var packed = new PackedMatrix(m.DType, weight.Out, weight.In, storage, offset);
        var job = new PackTiles { Type = m.DType, Source = (byte*)m.Address, Stride = m.RowStride, Rows = weight.Out, Columns = weight.In, To = (byte*)packed.Address, TileBytes = packed.TileBytes };

        // Up to a multiple of 64 bytes there is nothing to pack; whoever keeps the packed form gets the same bytes each time.
        nint used = packed.Tiles * packed.TileBytes;
        storage.Span<byte>(offset + used, (int)(packed.ByteLength - used)).Clear();

        // Strips of a few megabytes, so that source and packed form are in memory together for that long only.
        int strip = (int)Math.Max(1, (8 << 20) / Math.Max(1, packed.TileBytes));
        for (int tile = 0; tile < packed.Tiles; tile += strip)
        {
            job.First = tile;
            int count = Math.Min(strip, packed.Tiles - tile);
            try
            {
                Share(ref job, count, count * (long)packed.TileBytes);
            }
            catch (PunaException e)
            {
                throw new PunaException($"tensor {weight.Name}: {e.Message}", e);
            }

            long first = (long)tile * PackedMatrix.TileRows;
            long end = Math.Min(m.Rows, first + ((long)count * PackedMatrix.TileRows));
            m.Storage.GiveBack(m.Offset + ((nint)first * m.RowStride), (nint)(end - first) * m.RowStride);
        }

        GC.KeepAlive(m.Storage);
        return new Weight(weight.Name, packed);
    }

    /// <inheritdoc/>
    public Tensor RmsNorm(Tensor x, Weight norm, float epsilon)
    {
        // A norm shorter than a row norms each head on its own.
        int rows = NormRows(x, norm, "rms norm");
        Tensor y = _arena.Allocate(x.Shape);
        var job = new Kernels.Cpu.RmsNorm { Path = Path, X = (float*)x.Address, W = (float*)norm.Master.Address, Y = (float*)y.Address, Columns = norm.In, Epsilon = epsilon };
        Share(ref job, rows, x.Shape.Count);
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

    private Kernels.Cpu.RmsNorm PrepareNorm(Tensor x, Weight norm, float epsilon, out Tensor y)
    {
        RequireFloat(x, "rms norm");
        RequireFloat(norm.Master, norm.Name);
        if (norm.Master.Shape.Count != x.Columns)
        {
            throw new InvalidOperationException($"rms norm {norm}: expected {x.Columns} values");
        }

        y = _arena.Allocate(x.Shape);
        return new Kernels.Cpu.RmsNorm { Path = Path, X = (float*)x.Address, W = (float*)norm.Master.Address, Y = (float*)y.Address, Columns = (int)x.Columns, Epsilon = epsilon };
    }

    /// <summary>How many pieces of the norm's size the rows are made of.</summary>
    private static int NormRows(Tensor x, Weight norm, string what)
    {
        RequireFloat(x, what);
        RequireFloat(norm.Master, norm.Name);
        return norm.Shape.Rank == 1 && norm.In > 0 && x.Columns % norm.In == 0 ? checked((int)(x.Shape.Count / norm.In)) : throw new InvalidOperationException($"{what} {norm}: expected {x.Columns} values, or a divisor of that");
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
        if (!Quantization.Dequantizer.Supports(weight.DType))
        {
            throw new PunaException($"tensor {weight.Name}: expected floats or quantised blocks, got {weight.DType.Name()}");
        }
    }

    private static void Copy(Tensor from, Tensor to) =>
        Buffer.MemoryCopy((void*)from.Address, (void*)to.Address, to.ByteLength, from.ByteLength);

    private static void KeepAlive(Weight weight)
    {
        GC.KeepAlive(weight.Packed?.Storage);
        GC.KeepAlive(weight);
    }

    private PairRows Pairs(Tensor x, ref Kernels.Cpu.RmsNorm* norm)
    {
        int tokens = (int)x.Rows, k = (int)x.Columns;
        var rows = PairRows.At((float*)_arena.Allocate(new Shape(PairRows.Floats(tokens, k))).Address, tokens, k);
        var job = new QuantizePairs { Path = Path, X = (float*)x.Address, XStride = k, Rows = rows };
        QuantizeAfter(ref norm, ref job, tokens, x.Shape.Count);
        return rows;
    }

    private QuadRows Quads(Tensor x, int lanes, ref Kernels.Cpu.RmsNorm* norm)
    {
        int tokens = (int)x.Rows, k = (int)x.Columns;
        var rows = QuadRows.At((float*)_arena.Allocate(new Shape(QuadRows.Floats(tokens, k, lanes))).Address, tokens, k, lanes);
        var job = new QuantizeQuads { Path = Path, X = (float*)x.Address, XStride = k, Rows = rows };
        QuantizeAfter(ref norm, ref job, tokens, x.Shape.Count);
        return rows;
    }

    private void QuantizeAfter<TQuantize>(ref Kernels.Cpu.RmsNorm* norm, ref TQuantize quantize, int tokens, long values)
        where TQuantize : unmanaged, Kernels.IKernelJob
    {
        if (norm is null)
        {
            Share(ref quantize, tokens, values * 2);
            return;
        }

        var both = new Then<Kernels.Cpu.RmsNorm, TQuantize> { First = *norm, Second = quantize };
        Share(ref both, tokens, values * 3);
        norm = null;
    }

    private void Multiply(Tensor x, in PairRows pairs, in QuadRows quads, Weight w, Tensor y, bool integer, bool direct)
    {
        bool packed = w.Packed is { Layout: not PackedLayout.Rows };
        nint scratch = integer ? IntegerProduct.ScratchFloats(w.DType) : FloatProduct.ScratchFloats;
        ArenaMark mark = _arena.Mark();
        var tiles = new ProductTiles
        {
            Path = Path,
            Type = w.DType,
            W = (byte*)(w.Packed?.Address ?? w.Master.Address),
            Packed = packed,
            Stride = packed ? w.Packed!.TileBytes : w.Packed is null ? w.Master.RowStride : (nint)w.DType.RowBytes(w.In),
            Out = w.Out,
            ItemTiles = integer && direct ? ProductTiles.DirectTiles : ProductTiles.PanelTiles,
            Tokens = (int)x.Rows,
            Y = (float*)y.Address,
            Scratch = (float*)_arena.Allocate(new Shape(_threads.Threads, (long)scratch)).Address,
            ScratchFloats = scratch,
        };
        long work = (long)w.Out * w.In * x.Rows;
        if (integer)
        {
            var job = new IntegerProduct { Tiles = tiles, Pairs = pairs, Quads = quads };
            Share(ref job, tiles.Items, work);
        }
        else
        {
            var job = new FloatProduct { Tiles = tiles, X = (float*)x.Address, XStride = (nint)x.Columns, K = (int)x.Columns };
            Share(ref job, tiles.Items, work);
        }

        KeepAlive(w);
        _arena.Release(mark);
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
