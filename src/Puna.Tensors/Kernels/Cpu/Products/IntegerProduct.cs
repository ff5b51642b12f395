using System.Runtime.Intrinsics;

namespace Puna.Tensors.Kernels.Cpu.Products;

/// <summary>
/// y = x W^T for a weight of integer codes and quantised inputs: 8-bit ones for codes of at most six bits, 15-bit ones for signed bytes. Few input rows read the packed form
/// directly; more go through panels. The sums are the same numbers in the same order both ways, so a row's result does not depend on which was taken.
/// </summary>
internal unsafe struct IntegerProduct : IKernelJob
{
    /// <summary>Fewer input rows than this read the packed weight directly.</summary>
    public const int WorthPanel = 3;

    /// <summary>Weight, outputs and the way they are cut.</summary>
    public ProductTiles Tiles;

    /// <summary>The inputs, for a weight of signed bytes.</summary>
    public PairRows Pairs;

    /// <summary>The inputs, for any other weight.</summary>
    public QuadRows Quads;

    /// <summary>Whether a type takes <see cref="Pairs"/>.</summary>
    public static bool TakesPairs(DType type) => type == DType.Q8_0;

    private readonly int K => TakesPairs(Tiles.Type) ? Pairs.K : Quads.K;

    /// <summary>Floats of scratch one worker needs.</summary>
    public static nint ScratchFloats(DType type) =>
        (ProductTiles.PanelTiles * (IntegerPanel.Floats + (ProductTiles.ItemTokens * PackedMatrix.TileRows)))
        + (IntegerForms.TileSuperBytes(type) * (IntegerPanel.Chunk / IntegerForms.SuperValues(type)) / sizeof(float));

    /// <inheritdoc/>
    public readonly void Execute(int item, int worker)
    {
        var run = new Run { Job = this, Item = item, Scratch = Tiles.Scratch + (worker * Tiles.ScratchFloats) };
        IntegerForms.Visit(Tiles.Type, ref run);
    }

    private struct Run : IFormVisitor
    {
        public IntegerProduct Job;
        public int Item;
        public float* Scratch;

        public readonly void Visit<TForm>()
            where TForm : struct, IIntegerForm
        {
            switch (Job.Tiles.Path)
            {
                case CpuPath.Avx512: Vectors<TForm, Pairs512, Vector512<int>, Vector512<float>>(); break;
                case CpuPath.Avx2: Vectors<TForm, Pairs256, Vector256<int>, Vector256<float>>(); break;
                case CpuPath.Vector128: Vectors<TForm, Pairs128, Vector128<int>, Vector128<float>>(); break;
                default: Scalar<TForm>(); break;
            }
        }

        private readonly void Vectors<TForm, TSimd, I, F>()
            where TForm : struct, IIntegerForm
            where TSimd : struct, IPairSimd<I, F>
            where I : unmanaged
            where F : unmanaged
        {
            if (Job.Tiles.ItemTiles == ProductTiles.DirectTiles)
            {
                Direct<TForm, TSimd, I, F>();
            }
            else
            {
                Panels<TForm, TSimd, I, F>();
            }
        }

        private readonly void Direct<TForm, TSimd, I, F>()
            where TForm : struct, IIntegerForm
            where TSimd : struct, IPairSimd<I, F>
            where I : unmanaged
            where F : unmanaged
        {
            (int tile, int tiles) = Job.Tiles.TilesOf(Item);
            int supers = Job.K / IntegerLayout<TForm>.Values;
            float* y = stackalloc float[ProductTiles.DirectTiles * PackedMatrix.TileRows];
            for (int t = 0; t < Job.Tiles.Tokens; t++)
            {
                byte* packed = Job.Tiles.PackedTile(tile);
                if (IntegerLayout<TForm>.Eight)
                {
                    PairDirect<TSimd, I, F>.Multiply(packed, Job.Tiles.Stride, tiles * PackedMatrix.TileRows, supers, Job.Pairs.From(t, 0), y);
                }
                else
                {
                    QuadDirect<TForm, TSimd, I, F>.Multiply(packed, Job.Tiles.Stride, tiles * PackedMatrix.TileRows, supers, Job.Quads.From(t, 0), y);
                }

                for (int i = 0; i < tiles; i++)
                {
                    Job.Tiles.Deliver(y + (i * PackedMatrix.TileRows), 0, tile + i, t, 1);
                }
            }
        }

        private readonly void Panels<TForm, TSimd, I, F>()
            where TForm : struct, IIntegerForm
            where TSimd : struct, IPairSimd<I, F>
            where I : unmanaged
            where F : unmanaged
        {
            (int first, int tokens) = Job.Tiles.TokensOf(Item);
            (int tile, int tiles) = Job.Tiles.TilesOf(Item);
            float* sums = Scratch;
            IntegerPanel* panels = stackalloc IntegerPanel[ProductTiles.PanelTiles];
            for (int i = 0; i < ProductTiles.PanelTiles; i++)
            {
                panels[i] = IntegerPanel.At(Scratch + (ProductTiles.ItemTokens * ProductTiles.SumStride) + (i * IntegerPanel.Floats));
            }

            byte* packed = (byte*)(Scratch + (ProductTiles.ItemTokens * ProductTiles.SumStride) + (ProductTiles.PanelTiles * IntegerPanel.Floats));
            new Span<float>(sums, tokens * ProductTiles.SumStride).Clear();

            // Two panels of 512-bit kernels are used at a time and should fit the first-level cache together.
            int chunk = TSimd.Width == PackedMatrix.TileRows ? IntegerPanel.Chunk / 2 : IntegerPanel.Chunk;
            for (int k = 0; k < Job.K; k += chunk)
            {
                int inputs = Math.Min(chunk, Job.K - k);
                int supers = inputs / IntegerLayout<TForm>.Values;
                int super = k / IntegerLayout<TForm>.Values;
                for (int i = 0; i < tiles; i++)
                {
                    byte* source = Source<TForm>(tile + i, super, supers, packed);
                    if (IntegerLayout<TForm>.Eight)
                    {
                        PairPanels<TSimd, I, F>.Fill(source, supers, panels[i]);
                    }
                    else
                    {
                        QuadPanels<TForm, TSimd, I, F>.Fill(source, supers, panels[i]);
                    }
                }

                for (int row = 0; row < tiles * PackedMatrix.TileRows; row += 2 * TSimd.Width)
                {
                    int second = Math.Min(row + TSimd.Width, (tiles * PackedMatrix.TileRows) - TSimd.Width);
                    AskAhead ahead = Ahead<TForm>(tile + (row / PackedMatrix.TileRows), tile + (second / PackedMatrix.TileRows), super + supers, supers, inputs, tokens);
                    Multiply<TForm, TSimd, I, F>(panels, row, second, inputs / 32, first, tokens, k, ahead, sums);
                }
            }

            for (int t = 0; t < tokens && !IntegerLayout<TForm>.Eight; t++)
            {
                float scale = Job.Quads.Scale[first + t];
                for (int i = 0; i < tiles * PackedMatrix.TileRows; i += TSimd.Width)
                {
                    TSimd.StoreFloats(TSimd.MulFloats(TSimd.LoadFloats(sums + (t * ProductTiles.SumStride) + i), TSimd.SplatFloat(scale)), sums + (t * ProductTiles.SumStride) + i);
                }
            }

            for (int i = 0; i < tiles; i++)
            {
                Job.Tiles.Deliver(sums + (i * PackedMatrix.TileRows), ProductTiles.SumStride, tile + i, first, tokens);
            }
        }

        private readonly void Multiply<TForm, TSimd, I, F>(IntegerPanel* panels, int row, int second, int blocks, int first, int tokens, int k, AskAhead ahead, float* sums)
            where TForm : struct, IIntegerForm
            where TSimd : struct, IPairSimd<I, F>
            where I : unmanaged
            where F : unmanaged
        {
            ref IntegerPanel panel0 = ref panels[row / PackedMatrix.TileRows];
            ref IntegerPanel panel1 = ref panels[second / PackedMatrix.TileRows];
            int row0 = row % PackedMatrix.TileRows, row1 = second % PackedMatrix.TileRows;

            // A lone tile is given twice to a vector as wide as it; its twin adds to the place of the tile that is not there.
            int twin = row == second ? PackedMatrix.TileRows : second;
            for (int t = 0; t < tokens;)
            {
                // Rows that fill up the last four or six give sums that are not delivered.
                float* y = sums + (t * ProductTiles.SumStride);
                int left = tokens - t;
                if (!IntegerLayout<TForm>.Eight)
                {
                    QuadPanels<TForm, TSimd, I, F>.Multiply4(panel0, row0, panel1, row1, blocks, Job.Quads.From(first + t, k), ahead, y + row, y + twin);
                    t += QuadRows.Together;
                }
                else if (left >= 5 && left != 8)
                {
                    PairPanels<TSimd, I, F>.Multiply6(panel0, row0, panel1, row1, blocks, Job.Pairs.From(first + t, k), ahead, y + row, y + twin, ProductTiles.SumStride);
                    t += 6;
                }
                else
                {
                    PairPanels<TSimd, I, F>.Multiply4(panel0, row0, panel1, row1, blocks, Job.Pairs.From(first + t, k), ahead, y + row, y + twin, ProductTiles.SumStride);
                    t += 4;
                }

                ahead = ahead.From(blocks);
            }
        }

        /// <summary>What to ask for while a chunk of two tiles is multiplied: their next chunk, or the first one of the tiles that the same thread takes next.</summary>
        private readonly AskAhead Ahead<TForm>(int first, int second, int next, int supers, int inputs, int tokens)
            where TForm : struct, IIntegerForm
        {
            if (!Job.Tiles.Packed || tokens > AskAhead.MostRows)
            {
                return default;
            }

            if (next * IntegerLayout<TForm>.Values >= Job.K)
            {
                (first, second, next) = (first + ProductTiles.PanelTiles, second + ProductTiles.PanelTiles, 0);
            }

            nint offset = (nint)next * IntegerLayout<TForm>.Bytes;
            int passes = IntegerLayout<TForm>.Eight ? (tokens + 5) / 6 : (tokens + QuadRows.Together - 1) / QuadRows.Together;
            int times = inputs / 32 * passes;
            return new AskAhead
            {
                First = Job.Tiles.PackedTile(first) + offset,
                Second = Job.Tiles.PackedTile(second) + offset,
                Bytes = ((supers * IntegerLayout<TForm>.Bytes / times) + 63) / 64 * 64,
            };
        }

        private readonly void Scalar<TForm>()
            where TForm : struct, IIntegerForm
        {
            (int first, int tokens) = Job.Tiles.TokensOf(Item);
            (int tile, int tiles) = Job.Tiles.TilesOf(Item);
            int supers = Job.K / IntegerLayout<TForm>.Values;
            var whole = new NativeStorage(Job.Tiles.Packed ? 0 : supers * (nint)IntegerLayout<TForm>.Bytes, clear: false);
            using (whole)
            {
                for (int i = tile; i < tile + tiles; i++)
                {
                    byte* packed = Source<TForm>(i, 0, supers, (byte*)whole.Address);
                    for (int t = first; t < first + tokens; t++)
                    {
                        for (int r = 0; r < Job.Tiles.RowsOf(i); r++)
                        {
                            Job.Tiles.Y[((nint)t * Job.Tiles.Out) + (i * PackedMatrix.TileRows) + r] = IntegerLayout<TForm>.Eight
                                ? IntegerReference.Multiply(packed, r, supers, Job.Pairs.From(t, 0))
                                : IntegerReference.Multiply<TForm>(packed, r, supers, Job.Quads.From(t, 0));
                        }
                    }
                }
            }
        }

        /// <summary>Packed super-blocks of a tile, packed now where the weight is not.</summary>
        private readonly byte* Source<TForm>(int tile, int super, int supers, byte* packed)
            where TForm : struct, IIntegerForm
        {
            if (Job.Tiles.Packed)
            {
                return Job.Tiles.PackedTile(tile) + ((nint)super * IntegerLayout<TForm>.Bytes);
            }

            byte* source = Job.Tiles.SourceTile(tile) + ((nint)super * TForm.Type.BlockBytes());
            IntegerPacker.Pack<TForm>(source, Job.Tiles.Stride, Job.Tiles.RowsOf(tile), supers, packed);
            return packed;
        }
    }
}
