namespace Puna.Training.Data.Altiplano;

/// <summary>
/// Small pictures of few things, each in a quarter of its own, whose captions say of everything what it is, its colour and its place. A sixth of the combinations of the three is held out: pictures to train on
/// have none of them, held-out pictures have nothing else. Each two of the three (a red llama, something red at the top left) occur in both.
/// </summary>
public static class PlacedPictures
{
    /// <summary>Columns and rows of every picture.</summary>
    public const int Size = 32;

    /// <summary>Most things in a picture.</summary>
    public const int MostThings = 4;

    private const int Cell = Size / 2;
    private const uint Stream = 17;

    /// <summary>What there is.</summary>
    public static IReadOnlyList<string> Kinds { get; } = ["circle", "square", "triangle", "llama", "house", "cactus"];

    /// <summary>Colours of things.</summary>
    public static IReadOnlyList<string> Colours { get; } = [.. ShapePicture.Colours.Select(static c => c.Name)];

    /// <summary>Places of things.</summary>
    public static IReadOnlyList<string> Places { get; } = ShapePicture.Wheres;

    /// <summary>The part that a combination belongs to: with numbers that add up to a multiple of six it is held out.</summary>
    /// <param name="kind">Place in <see cref="Kinds"/>.</param>
    /// <param name="colour">Place in <see cref="Colours"/>.</param>
    /// <param name="place">Place in <see cref="Places"/>.</param>
    public static SplitPart PartOf(int kind, int colour, int place) => (kind + colour + place) % Kinds.Count == 0 ? SplitPart.Test : SplitPart.Train;

    /// <summary>Draws a picture.</summary>
    /// <param name="seed">Of the world.</param>
    /// <param name="part">Which combinations may be in it.</param>
    /// <param name="index">Which picture of that part, 0 or more.</param>
    /// <param name="most">Most things in it.</param>
    public static AltiplanoPicture Render(ulong seed, SplitPart part, long index, int most)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfNotEqual(most, Math.Clamp(most, 1, MostThings));
        var dice = new Dice(seed, Stream + (part == SplitPart.Test ? 1u : 0), index);
        var canvas = new Canvas(Size, Size);
        canvas.Rectangle(0, 0, Size, Size, dice.Pick<int>(ShapePicture.Grounds));
        int[] cells = [0, 1, 2, 3];
        dice.Shuffle(cells.AsSpan());
        int count = dice.Between(1, most);
        Array.Sort(cells, 0, count);
        var objects = new List<PictureObject>();
        for (int i = 0; i < count; i++)
        {
            int kind, colour;
            do
            {
                (kind, colour) = (dice.Below(Kinds.Count), dice.Below(Colours.Count));
            }
            while (PartOf(kind, colour, cells[i]) != part);
            objects.Add(Draw(dice, canvas, Kinds[kind], ShapePicture.Colours[colour], cells[i]));
        }

        return new AltiplanoPicture(index, Size, Size, canvas.Rgb, Caption(objects), objects, PictureQuestions.About(objects));
    }

    /// <summary><c>A red circle at the top left and an orange llama at the bottom right.</c></summary>
    private static string Caption(List<PictureObject> objects) =>
        English.Capital(string.Join(" and ", objects.Select(static o => $"{PictureWords.Article($"{o.Colour} {o.Kind}")} at the {o.Where}"))) + ".";

    private static PictureObject Draw(Dice dice, Canvas canvas, string kind, (string Name, int Rgb) colour, int cell)
    {
        int size = dice.Between(4, 6) * 2;
        (int width, int height) = kind switch { "llama" => (12, 14), "house" => (12, 14), "cactus" => (8, 10), _ => (size, size) };
        int left = (cell % 2 * Cell) + dice.Between(1, Cell - width - 1), top = (cell / 2 * Cell) + dice.Between(1, Cell - height - 1);
        int pixels = kind switch
        {
            "circle" => canvas.Disc(left, top, size, colour.Rgb),
            "square" => canvas.Rectangle(left, top, size, size, colour.Rgb),
            "triangle" => canvas.Triangle(left, top, size, size, colour.Rgb),
            "llama" => canvas.Stamp(left, top, ScenePicture.LlamaShape, dice.Chance(50), colour.Rgb),
            "house" => canvas.Rectangle(left + 1, top + 6, 10, 8, colour.Rgb) + canvas.Triangle(left, top, 12, 6, colour.Rgb),
            _ => canvas.Stamp(left, top, ScenePicture.CactusShape, dice.Chance(50), colour.Rgb),
        };
        return new PictureObject(kind, colour.Name, Places[cell], left, top, width, height, colour.Rgb, pixels);
    }
}
