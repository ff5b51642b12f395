namespace Puna.Training.Data.Altiplano;

/// <summary>One to four coloured shapes on a plain ground, each in a cell of its own.</summary>
internal static class ShapePicture
{
    private const int Cell = 32;

    internal static readonly (string Name, int Rgb)[] Colours = [("red", 0xE02020), ("blue", 0x2040E0), ("green", 0x20A040), ("yellow", 0xF0D020), ("purple", 0x9030B0), ("orange", 0xF08020)];

    internal static readonly int[] Grounds = [0xFFFFFF, 0x101010, 0xB0B0B0, 0xF0E8D0];

    internal static readonly string[] Wheres = ["top left", "top right", "bottom left", "bottom right"];

    public static string Draw(Dice dice, Canvas canvas, List<PictureObject> objects)
    {
        canvas.Rectangle(0, 0, AltiplanoPictures.Size, AltiplanoPictures.Size, dice.Pick<int>(Grounds));
        int[] cells = [0, 1, 2, 3];
        dice.Shuffle(cells.AsSpan());
        int count = dice.Between(1, 4);
        Array.Sort(cells, 0, count);
        for (int i = 0; i < count; i++)
        {
            int size = dice.Between(8, 14) * 2;
            int left = (cells[i] % 2 * Cell) + dice.Between(1, Cell - size - 1), top = (cells[i] / 2 * Cell) + dice.Between(1, Cell - size - 1);
            (string colour, int rgb) = dice.Pick<(string, int)>(Colours);
            string kind = dice.Pick("circle", "square", "triangle");
            int pixels = kind switch
            {
                "circle" => canvas.Disc(left, top, size, rgb),
                "square" => canvas.Rectangle(left, top, size, size, rgb),
                _ => canvas.Triangle(left, top, size, size, rgb),
            };
            objects.Add(new PictureObject(kind, colour, Wheres[cells[i]], left, top, size, size, rgb, pixels));
        }

        string list = PictureWords.List(objects);
        return objects.Count == 1
            ? English.Capital(list) + $" at the {objects[0].Where}."
            : dice.Chance(50) ? English.Capital(list) + "." : $"There {(PictureWords.FirstCount(objects) == 1 ? "is" : "are")} {list}.";
    }
}
