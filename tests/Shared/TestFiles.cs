namespace Puna.Tests.Shared;

/// <summary>Finds test data: committed fixtures, the shared goldens, and third-party assets that are never committed.</summary>
public static class TestFiles
{
    /// <summary>The repository root: the nearest folder above the test binary that holds <c>Puna.slnx</c>.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>Path of a committed fixture under <c>tests/fixtures</c>.</summary>
    public static string Fixture(params string[] parts) => Path.Combine([Root, "tests", "fixtures", .. parts]);

    /// <summary>
    /// Path inside the shared goldens, or of the committed copy of the most important ones; skips the running test, saying so, where neither has the file.
    /// </summary>
    public static string Golden(params string[] parts)
    {
        string committed = Fixture(["goldens", .. parts]);
        return Path.Exists(committed) && !Path.Exists(Shared("PUNA_GOLDENS", "goldens", parts)) ? committed : Find("PUNA_GOLDENS", "goldens", parts);
    }

    /// <summary>Folder of a golden model: the shared one, or the committed copy where that has the weights; skips the running test where there is none.</summary>
    public static string GoldenModel(string name) =>
        Path.GetDirectoryName(Golden(name, name.StartsWith("meta-", StringComparison.Ordinal) ? "consolidated.00.pth" : "model.safetensors"))!;

    /// <summary>The model that is embedded in the tool.</summary>
    public static string EmbeddedModel => Path.Combine(Root, "src", "Puna.DefaultModel", "puna-tiny.gguf");

    /// <summary>A small model that continues plain text, with what the reference makes of it: the golden <c>trained-tiny</c> in Q8_0.</summary>
    public static string TrainedTiny => Fixture("goldens", "trained-tiny", "q8_0.gguf");

    /// <summary>Path inside the third-party assets; skips the running test, saying so, where they are not at hand.</summary>
    public static string Asset(params string[] parts) => Find("PUNA_ASSETS", "assets", parts);

    private static string Shared(string variable, string folder, string[] parts)
    {
        string? home = Environment.GetEnvironmentVariable(variable);
        return Path.GetFullPath(Path.Combine([string.IsNullOrEmpty(home) ? Path.Combine(Root, "..", "shared", folder) : home, .. parts]));
    }

    private static string Find(string variable, string folder, string[] parts)
    {
        string path = Shared(variable, folder, parts);
        Assert.SkipUnless(Path.Exists(path), $"needs {folder}/{string.Join('/', parts)}: set {variable}, or put it in ../shared/{folder}");
        return path;
    }

    private static string FindRoot()
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "Puna.slnx")))
        {
            folder = Path.GetDirectoryName(folder);
        }

        return folder ?? throw new InvalidOperationException("Puna.slnx not found above " + AppContext.BaseDirectory);
    }
}
