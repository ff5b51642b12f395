namespace Puna.Training.Data.Altiplano;

/// <summary>Puts what a picture shows into words.</summary>
internal static class PictureWords
{
    /// <summary>All objects as a list: <c>two red circles and a blue square</c>. Equal ones are counted together, in the order of the first of them.</summary>
    public static string List(IReadOnlyList<PictureObject> objects)
    {
        var parts = new List<string>();
        foreach ((string name, int count) in Groups(objects))
        {
            parts.Add(count == 1 ? Article(name) : English.Number(count, false) + " " + Plural(name));
        }

        return parts.Count switch
        {
            0 => "nothing",
            1 => parts[0],
            _ => string.Join(", ", parts.GetRange(0, parts.Count - 1)) + " and " + parts[^1],
        };
    }

    /// <summary>How many the first part of the list speaks of.</summary>
    public static int FirstCount(IReadOnlyList<PictureObject> objects) => Groups(objects)[0].Count;

    public static string Article(string name) => (English.TakesAn(name) ? "an " : "a ") + name;

    public static string Plural(string name) => name.EndsWith('s') ? name + "es" : name + "s";

    private static List<(string Name, int Count)> Groups(IReadOnlyList<PictureObject> objects)
    {
        var groups = new List<(string Name, int Count)>();
        foreach (PictureObject thing in objects)
        {
            string name = thing.Colour + " " + thing.Kind;
            int at = groups.FindIndex(group => group.Name == name);
            if (at < 0)
            {
                groups.Add((name, 1));
            }
            else
            {
                groups[at] = (name, groups[at].Count + 1);
            }
        }

        return groups;
    }
}
