using Puna.Tensors;

namespace Puna.Formats.Tests;

/// <summary>A folder for one test, deleted with it.</summary>
internal sealed class ScratchFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("puna-tests-").FullName;

    /// <summary>The names of all files in it, sorted.</summary>
    public string[] Files => [.. Directory.GetFiles(Path).Select(file => System.IO.Path.GetFileName(file)).Order(StringComparer.Ordinal)];

    public string File(string name) => System.IO.Path.Combine(Path, name);

    public string Write(string name, ReadOnlySpan<byte> bytes)
    {
        System.IO.File.WriteAllBytes(File(name), bytes);
        return File(name);
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);

    /// <summary>Bytes in storage exactly as long as they are, so that a read behind the end is noticed.</summary>
    public static NativeStorage Storage(ReadOnlySpan<byte> bytes)
    {
        var storage = new NativeStorage(bytes.Length);
        bytes.CopyTo(storage.Span<byte>(0, bytes.Length));
        return storage;
    }
}
