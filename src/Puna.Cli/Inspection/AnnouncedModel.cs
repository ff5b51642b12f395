using Puna.Cli.Hosting;

namespace Puna.Cli.Inspection;

/// <summary>What was said of Llama 4 Behemoth, of which there is neither a file nor a published shape (Meta AI, "The Llama 4 herd", 2025-04-05; spec llama4.md 2.7).</summary>
internal static class AnnouncedModel
{
    private static readonly (string Key, string Text, string Value)[] Facts =
    [
        ("model", "model", "llama-4-behemoth"),
        ("status", "status", "announced on 2025-04-05 as a teacher of the other Llama 4 models; never released"),
        ("active_parameters", "active parameters", "288 billion"),
        ("experts", "experts", "16"),
        ("parameters", "parameters", "nearly two trillion"),
        ("shape", "shape", "not published: there is no preset, and other numbers are guesses"),
    ];

    /// <summary>Whether a name means it, hyphens, spaces and letter case aside.</summary>
    public static bool Is(string name) =>
        name.Replace("-", "", StringComparison.Ordinal).Replace(" ", "", StringComparison.Ordinal).Equals("llama4behemoth", StringComparison.OrdinalIgnoreCase) && !Path.Exists(name);

    /// <summary>Prints it.</summary>
    public static void Write(TextWriter output, bool asJson)
    {
        if (asJson)
        {
            using var line = new JsonOutput(output);
            line.Writer.WriteStartObject();
            foreach ((string key, _, string value) in Facts)
            {
                line.Writer.WriteString(key, value);
            }

            line.Writer.WriteEndObject();
            return;
        }

        var table = new TextTable();
        foreach ((_, string text, string value) in Facts)
        {
            table.Add(text, value);
        }

        table.Write(output, "");
    }
}
