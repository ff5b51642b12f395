using Puna.Models.Vision;

namespace Puna.Models.Tests.Vision;

/// <summary>The tables of spec llama1-3.md 4.1 and llama4.md 4.3, and a search by brute force.</summary>
public class TileGridTests
{
    [Theory]
    [InlineData(100, 100, 1, 1, 560, 560, 1)]
    [InlineData(561, 560, 1, 2, 561, 560, 2)]
    [InlineData(300, 800, 2, 1, 300, 800, 5)]
    [InlineData(640, 480, 1, 2, 640, 480, 2)]
    [InlineData(1024, 768, 2, 2, 1024, 768, 6)]
    [InlineData(1920, 1080, 2, 2, 1120, 630, 6)]
    [InlineData(4000, 3000, 2, 2, 1120, 840, 6)]
    [InlineData(1680, 560, 1, 3, 1680, 560, 3)]
    [InlineData(2240, 560, 1, 4, 2240, 560, 4)]
    [InlineData(5000, 100, 1, 4, 2240, 44, 4)]
    [InlineData(2200, 2200, 2, 2, 1119, 1120, 6)]
    public void Llama32ChoosesTheCanvasOfTheSpecification(int width, int height, int rows, int columns, int newWidth, int newHeight, int id)
    {
        TileGrid grid = TileGrid.Choose(height, width, 560, 4);
        Assert.Equal((rows, columns), (grid.Rows, grid.Columns));
        Assert.Equal((newHeight, newWidth), grid.Fit(height, width, 560, limits: true));
        Assert.Equal(id, grid.AspectRatioId(4));
    }

    [Theory]
    [InlineData(100, 50, 1, 1, 336, 168)]
    [InlineData(336, 336, 1, 1, 336, 336)]
    [InlineData(337, 336, 1, 2, 337, 336)]
    [InlineData(400, 300, 1, 2, 400, 300)]
    [InlineData(500, 300, 1, 2, 500, 300)]
    [InlineData(512, 512, 2, 2, 512, 512)]
    [InlineData(1024, 768, 3, 4, 1024, 768)]
    [InlineData(1280, 1280, 4, 4, 1280, 1280)]
    [InlineData(1920, 1080, 3, 5, 1680, 945)]
    [InlineData(1080, 1920, 5, 3, 945, 1680)]
    [InlineData(4032, 3024, 3, 4, 1344, 1008)]
    [InlineData(3000, 200, 1, 9, 3000, 200)]
    [InlineData(5000, 5000, 4, 4, 1344, 1344)]
    [InlineData(10, 4000, 12, 1, 10, 4000)]
    public void Llama4ChoosesTheCanvasOfTheSpecification(int width, int height, int rows, int columns, int newWidth, int newHeight)
    {
        TileGrid grid = TileGrid.Choose(height, width, 336, 16);
        Assert.Equal((rows, columns), (grid.Rows, grid.Columns));
        Assert.Equal((newHeight, newWidth), grid.Fit(height, width, 336, limits: true));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void TheChoiceIsThatOfALiteralSearch(bool largest)
    {
        var random = new Random(9);
        for (int i = 0; i < 3000; i++)
        {
            int height = 1 + random.Next(random.Next(2) == 0 ? 100 : 3000);
            int width = 1 + random.Next(random.Next(2) == 0 ? 100 : 3000);
            TileGrid[] grids = [.. from r in Enumerable.Range(1, 16) from c in Enumerable.Range(1, 16) where r * c <= 16 select new TileGrid(r, c)];
            // Exact fractions: the lesser of H/h and W/w, compared crosswise.
            (long Up, long Down) Scale(TileGrid g) => g.Rows * 28L * width < g.Columns * 28L * height ? (g.Rows * 28L, height) : (g.Columns * 28L, width);
            int Compare(TileGrid a, TileGrid b) => (Scale(a).Up * Scale(b).Down).CompareTo(Scale(b).Up * Scale(a).Down);
            TileGrid[] enlarging = [.. grids.Where(g => Scale(g).Up >= Scale(g).Down)];
            TileGrid[] candidates = enlarging.Length > 0 ? enlarging : grids;
            bool wantsMost = largest || enlarging.Length == 0;
            TileGrid best = candidates.Aggregate((a, b) => Compare(a, b) is var order && order != 0 ? (order > 0 == wantsMost ? a : b) : b.Tiles < a.Tiles ? b : a);
            Assert.Equal(best, TileGrid.Choose(height, width, 28, 16, largest));
        }
    }
}
