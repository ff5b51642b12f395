namespace Puna.Hub.Tests;

/// <summary>A folder that goes away with the test.</summary>
internal sealed class TempFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("puna-hub-").FullName;

    public static implicit operator string(TempFolder folder) => folder.Path;

    public string File(params string[] parts) => System.IO.Path.Combine([Path, .. parts]);

    /// <summary>All files below, relative, with '/', sorted.</summary>
    public string[] Files() => Directory.EnumerateFiles(Path, "*", SearchOption.AllDirectories)
        .Select(file => System.IO.Path.GetRelativePath(Path, file).Replace('\\', '/')).Order(StringComparer.Ordinal).ToArray();

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
