namespace Puna.Training.Data.Altiplano;

/// <summary>A scene: a sky with sun, moon or stars, mountains, and on the ground llamas, houses and cactuses side by side.</summary>
internal static class ScenePicture
{
    private const int Horizon = 40;
    private const int Slot = 16;

    internal static readonly string[] LlamaShape =
    [
        "..#.........",
        ".###........",
        "####........",
        ".##.........",
        ".##.........",
        ".##.........",
        ".###########",
        ".###########",
        "..##########",
        "..##########",
        "..##..##..#.",
        "..#...##..#.",
        "..#....#..#.",
        "..#....#..#.",
    ];

    internal static readonly string[] CactusShape =
    [
        "...##...",
        "...##...",
        "#..##...",
        "#..##..#",
        "##.##..#",
        ".####.##",
        "...####.",
        "...##...",
        "...##...",
        "...##...",
    ];

    private static readonly string[] StarShape = [".#.", "###", ".#."];

    private static readonly (string Name, int Rgb)[] LlamaColours = [("white", 0xFEFEFE), ("brown", 0x7A4A20), ("black", 0x080808), ("grey", 0x909090), ("golden", 0xD8A030)];

    private static readonly (string Name, int Rgb)[] HouseColours = [("red", 0xC03028), ("blue", 0x3858C8), ("yellow", 0xF0E050), ("white", 0xF4F4F0)];

    private static readonly (string Name, int Rgb)[] MountainColours = [("grey", 0x707880), ("purple", 0x705090), ("white", 0xE8ECF8)];

    private static readonly (string Name, int Rgb)[] Grounds = [("on green grass", 0x58A048), ("on a dry plain", 0xC8B078), ("in the snow", 0xDCE4F0)];

    private static readonly (string Name, int Rgb)[] Skies = [("blue", 0x78B8F0), ("orange", 0xF0A868), ("dark", 0x141838)];

    public static string Draw(Dice dice, Canvas canvas, List<PictureObject> objects)
    {
        (string sky, int skyRgb) = dice.Pick<(string, int)>(Skies);
        (string ground, int groundRgb) = dice.Pick<(string, int)>(Grounds);
        canvas.Rectangle(0, 0, AltiplanoPictures.Size, Horizon, skyRgb);
        canvas.Rectangle(0, Horizon, AltiplanoPictures.Size, AltiplanoPictures.Size - Horizon, groundRgb);
        var above = new List<PictureObject>();
        Sky(dice, canvas, above, sky == "dark");
        int mountains = dice.Below(4);
        (string colour, int rgb) = dice.Pick<(string, int)>(MountainColours);
        for (int i = 0; i < mountains; i++)
        {
            int w = dice.Between(8, 10) * 2, h = dice.Between(8, 20), left = (i * 21) + dice.Below(22 - w);
            int pixels = canvas.Triangle(left, Horizon - h, w, h, rgb);
            above.Add(new PictureObject("mountain", colour, Side(left + (w / 2)), left, Horizon - h, w, h, rgb, pixels));
        }

        Ground(dice, canvas, objects, dice.Between(1, 4));
        string below = PictureWords.List(objects);
        objects.AddRange(above);
        string verb = objects[0].Kind == "llama" ? "stand" : "are";
        string first = PictureWords.FirstCount(objects) == 1 && objects.Count - above.Count == 1 ? verb == "stand" ? "stands" : "is" : verb;
        return English.Capital(below) + $" {first} {ground}" + (above.Count == 0 ? $" under {PictureWords.Article(sky)} sky." : $", with {PictureWords.List(above)} in the background.");
    }

    private static void Sky(Dice dice, Canvas canvas, List<PictureObject> above, bool night)
    {
        int at = dice.Below(4);
        bool body = dice.Chance(70);
        if (body)
        {
            int left = (at * Slot) + 3, rgb = night ? 0xF8F8D8 : 0xFFE038;
            int pixels = canvas.Disc(left, 4, 10, rgb);
            above.Add(new PictureObject(night ? "moon" : "sun", night ? "pale" : "bright", Side(left + 5), left, 4, 10, 10, rgb, pixels));
        }

        if (!night)
        {
            return;
        }

        for (int i = 0; i < 4; i++)
        {
            if ((!body || i != at) && dice.Chance(70))
            {
                int left = (i * Slot) + dice.Between(1, Slot - 4), top = dice.Between(2, 14);
                int pixels = canvas.Stamp(left, top, StarShape, false, 0xFFFFA0);
                above.Add(new PictureObject("star", "small", Side(left + 1), left, top, 3, 3, 0xFFFFA0, pixels));
            }
        }
    }

    private static void Ground(Dice dice, Canvas canvas, List<PictureObject> objects, int count)
    {
        int[] slots = [0, 1, 2, 3];
        dice.Shuffle(slots.AsSpan());
        Array.Sort(slots, 0, count);
        for (int i = 0; i < count; i++)
        {
            int left = (slots[i] * Slot) + dice.Between(1, 2), top = Horizon + dice.Between(2, 7);
            switch (dice.Below(4))
            {
                case 0:
                    (string houseColour, int houseRgb) = dice.Pick<(string, int)>(HouseColours);
                    int pixels = canvas.Rectangle(left + 1, top + 6, 10, 9, houseRgb) + canvas.Triangle(left, top, 12, 6, houseRgb);
                    objects.Add(new PictureObject("house", houseColour, Side(left + 6), left, top, 12, 15, houseRgb, pixels));
                    break;
                case 1:
                    pixels = canvas.Stamp(left + 2, top, CactusShape, dice.Chance(50), 0x206830);
                    objects.Add(new PictureObject("cactus", "green", Side(left + 6), left + 2, top, 8, 10, 0x206830, pixels));
                    break;
                default:
                    (string llamaColour, int llamaRgb) = dice.Pick<(string, int)>(LlamaColours);
                    pixels = canvas.Stamp(left, top, LlamaShape, dice.Chance(50), llamaRgb);
                    objects.Add(new PictureObject("llama", llamaColour, Side(left + 6), left, top, 12, 14, llamaRgb, pixels));
                    break;
            }
        }
    }

    private static string Side(int x) => x < 21 ? "left" : x < 43 ? "middle" : "right";
}
