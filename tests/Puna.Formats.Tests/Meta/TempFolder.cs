namespace Puna.Formats.Tests.Meta;

/// <summary>A folder that exists as long as a test.</summary>
internal sealed class TempFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("puna-meta-").FullName;

    public string this[string name] => System.IO.Path.Combine(Path, name);

    /// <summary>A writable copy of a folder of files.</summary>
    public static TempFolder CopyOf(string folder)
    {
        var copy = new TempFolder();
        foreach (string file in Directory.GetFiles(folder))
        {
            File.WriteAllBytes(copy[System.IO.Path.GetFileName(file)], File.ReadAllBytes(file));
        }

        return copy;
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
