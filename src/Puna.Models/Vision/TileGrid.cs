namespace Puna.Models.Vision;

/// <summary>How a picture is laid out in tiles, and the canvas that is chosen for it (spec llama1-3.md 4.1, llama4.md 4.3).</summary>
/// <param name="Rows">Tiles from top to bottom.</param>
/// <param name="Columns">Tiles from left to right.</param>
public readonly record struct TileGrid(int Rows, int Columns)
{
    /// <summary>Number of tiles.</summary>
    public int Tiles => Rows * Columns;

    /// <summary>Chooses the canvas: of the scales that enlarge the smallest, or the largest where asked for, else the mildest that shrinks; of canvases with that scale the one of least area.</summary>
    /// <param name="height">Rows of the picture.</param>
    /// <param name="width">Columns of the picture.</param>
    /// <param name="side">Pixels of a tile's side.</param>
    /// <param name="maxTiles">Most tiles.</param>
    /// <param name="largest">Whether a picture is enlarged as far as a canvas goes.</param>
    public static TileGrid Choose(int height, int width, int side, int maxTiles, bool largest = false)
    {
        TileGrid best = default;
        float bestScale = 0;
        for (int rows = 1; rows <= maxTiles; rows++)
        {
            for (int columns = 1; rows * columns <= maxTiles; columns++)
            {
                var grid = new TileGrid(rows, columns);
                float scale = Math.Min(rows * side / (float)height, columns * side / (float)width);
                bool isBetter = scale == bestScale
                    ? grid.Tiles < best.Tiles
                    : (scale >= 1) == (bestScale >= 1) ? (scale > bestScale) == (largest || scale < 1) : scale >= 1;
                if (best.Tiles == 0 || isBetter)
                {
                    (best, bestScale) = (grid, scale);
                }
            }
        }

        return best;
    }

    /// <summary>Llama 3.2 Vision's number of this aspect ratio: from 1, in the order (1, 1), (1, 2), ... (1, max), (2, 1), ...; 0 stands for no picture.</summary>
    /// <param name="maxTiles">Most tiles.</param>
    public int AspectRatioId(int maxTiles)
    {
        int id = Columns;
        for (int rows = 1; rows < Rows; rows++)
        {
            id += maxTiles / rows;
        }

        return id;
    }

    /// <summary>The largest size of the picture's shape inside the canvas; at least one pixel either way.</summary>
    /// <param name="height">Rows of the picture.</param>
    /// <param name="width">Columns of the picture.</param>
    /// <param name="side">Pixels of a tile's side.</param>
    /// <param name="limits">Whether no picture is enlarged beyond one tile's side.</param>
    public (int Height, int Width) Fit(int height, int width, int side, bool limits)
    {
        int most = Rows * side;
        int widest = Columns * side;
        if (limits)
        {
            most = Math.Min(Math.Max(height, side), most);
            widest = Math.Min(Math.Max(width, side), widest);
        }

        // Divide, multiply, floor, in this order: 2200 x 2200 becomes 1119 x 1120 at 560.
        double high = (double)most / height;
        double wide = (double)widest / width;
        return wide < high
            ? (Math.Max(Math.Min((int)Math.Floor(height * wide), most), 1), widest)
            : (most, Math.Max(Math.Min((int)Math.Floor(width * high), widest), 1));
    }
}
