using System.Runtime.Intrinsics;

namespace Puna.Tensors.Kernels.Cpu.Products;

/// <summary>
/// y = x W^T for a weight of integer codes and quantised inputs. Few input rows read the packed form directly; more go through panels of 16-bit integers. The sums are
/// the same numbers in the same order both ways, so a row's result does not depend on which was taken.
/// </summary>
internal unsafe struct IntegerProduct : IKernelJob
{
    /// <summary>Fewer input rows than this read the packed weight directly.</summary>
    public const int WorthPanel = 3;

    /// <summary>Weight, outputs and the way they are cut.</summary>
    public ProductTiles Tiles;

    /// <summary>The inputs.</summary>
    public QuantizedRows X;

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
            int supers = Job.X.K / IntegerLayout<TForm>.Values;
            float* y = stackalloc float[ProductTiles.DirectTiles * PackedMatrix.TileRows];
            for (int t = 0; t < Job.Tiles.Tokens; t++)
            {
                IntegerDirect<TForm, TSimd, I, F>.Multiply(Job.Tiles.PackedTile(tile), Job.Tiles.Stride, tiles * PackedMatrix.TileRows, supers, Job.X.From(t, 0), y);
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
            const int Stride = ProductTiles.PanelTiles * PackedMatrix.TileRows;
            float* sums = Scratch;
            IntegerPanel* panels = stackalloc IntegerPanel[ProductTiles.PanelTiles];
            for (int i = 0; i < ProductTiles.PanelTiles; i++)
            {
                panels[i] = IntegerPanel.At(Scratch + (ProductTiles.ItemTokens * Stride) + (i * IntegerPanel.Floats));
            }

            byte* packed = (byte*)(Scratch + (ProductTiles.ItemTokens * Stride) + (ProductTiles.PanelTiles * IntegerPanel.Floats));
            new Span<float>(sums, tokens * Stride).Clear();

            // Two panels of 512-bit kernels are used at a time and should fit the first-level cache together.
            int chunk = TSimd.Width == PackedMatrix.TileRows ? IntegerPanel.Chunk / 2 : IntegerPanel.Chunk;
            for (int k = 0; k < Job.X.K; k += chunk)
            {
                int supers = Math.Min(chunk, Job.X.K - k) / IntegerLayout<TForm>.Values;
                int super = k / IntegerLayout<TForm>.Values;
                for (int i = 0; i < tiles; i++)
                {
                    IntegerPanels<TForm, TSimd, I, F>.Fill(Source<TForm>(tile + i, super, supers, packed), supers, panels[i]);
                }

                for (int row = 0; row < tiles * PackedMatrix.TileRows; row += 2 * TSimd.Width)
                {
                    int second = Math.Min(row + TSimd.Width, (tiles * PackedMatrix.TileRows) - TSimd.Width);
                    Multiply<TForm, TSimd, I, F>(panels, row, second, supers, first, tokens, k, sums);
                }
            }

            for (int i = 0; i < tiles; i++)
            {
                Job.Tiles.Deliver(sums + (i * PackedMatrix.TileRows), Stride, tile + i, first, tokens);
            }
        }

        private readonly void Multiply<TForm, TSimd, I, F>(IntegerPanel* panels, int row, int second, int supers, int first, int tokens, int k, float* sums)
            where TForm : struct, IIntegerForm
            where TSimd : struct, IPairSimd<I, F>
            where I : unmanaged
            where F : unmanaged
        {
            const int Stride = ProductTiles.PanelTiles * PackedMatrix.TileRows;
            ref IntegerPanel panel0 = ref panels[row / PackedMatrix.TileRows];
            ref IntegerPanel panel1 = ref panels[second / PackedMatrix.TileRows];
            int row0 = row % PackedMatrix.TileRows, row1 = second % PackedMatrix.TileRows;

            // A lone tile is given twice to a vector as wide as it; its twin adds to the place of the tile that is not there.
            int twin = row == second ? PackedMatrix.TileRows : second;
            int t = 0;
            for (; t + 4 <= tokens; t += 4)
            {
                float* y = sums + (t * Stride);
                IntegerPanels<TForm, TSimd, I, F>.Multiply4(panel0, row0, panel1, row1, supers, Job.X.From(first + t, k), y + row, y + twin, Stride);
            }

            for (; t < tokens; t++)
            {
                float* y = sums + (t * Stride);
                IntegerPanels<TForm, TSimd, I, F>.Multiply1(panel0, row0, panel1, row1, supers, Job.X.From(first + t, k), y + row, y + twin);
            }
        }

        private readonly void Scalar<TForm>()
            where TForm : struct, IIntegerForm
        {
            (int first, int tokens) = Job.Tiles.TokensOf(Item);
            (int tile, int tiles) = Job.Tiles.TilesOf(Item);
            int supers = Job.X.K / IntegerLayout<TForm>.Values;
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
                            Job.Tiles.Y[((nint)t * Job.Tiles.Out) + (i * PackedMatrix.TileRows) + r] = IntegerReference.Multiply<TForm>(packed, r, supers, Job.X.From(t, 0));
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
