using Puna.Models.Checkpoints;
using Puna.Models.Conversion;
using Puna.Models.Quantization;
using Puna.Tensors;

namespace Puna.Models.Tests.Conversion;

/// <summary>A folder of its own for a test, and conversions in it.</summary>
internal sealed class ConversionFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("puna-convert-").FullName;

    /// <summary>All files and folders, relative, sorted.</summary>
    public IEnumerable<string> Entries => Directory.EnumerateFileSystemEntries(Path, "*", SearchOption.AllDirectories)
        .Select(entry => System.IO.Path.GetRelativePath(Path, entry).Replace('\\', '/')).Order(StringComparer.Ordinal);

    public void Dispose() => Directory.Delete(Path, recursive: true);

    public string At(params string[] parts) => System.IO.Path.Combine([Path, .. parts]);

    /// <summary>Converts to a file or folder of this folder, and returns its path.</summary>
    public string Convert(string from, string to, FileType? type = null, long maxFileBytes = long.MaxValue)
    {
        string path = At(to);
        CheckpointFormat format = to.EndsWith(".gguf", StringComparison.Ordinal) ? CheckpointFormat.Gguf
            : to.StartsWith("meta", StringComparison.Ordinal) ? CheckpointFormat.Meta
            : CheckpointFormat.Safetensors;
        using Checkpoint source = Checkpoint.Open(from);
        CheckpointConverter.Convert(source, path, new ConversionOptions { Format = format, Type = type, MaxFileBytes = maxFileBytes, Threads = 2 });
        return path;
    }

    /// <summary>Both checkpoints have the same tensors with the same bytes.</summary>
    public static void AssertSameTensors(string expected, string actual)
    {
        using Checkpoint first = Checkpoint.Open(expected);
        using Checkpoint last = Checkpoint.Open(actual);
        Assert.Equal(first.Config.Parameters(), last.Config.Parameters());
        foreach ((string name, Shape _) in first.Config.Parameters())
        {
            Tensor a = first.GetTensor(name);
            Tensor b = last.GetTensor(name);
            Assert.Equal((a.DType, a.Shape), (b.DType, b.Shape));
            for (int r = 0; r < a.Rows; r++)
            {
                Assert.True(a.Row<byte>(r).SequenceEqual(b.Row<byte>(r)), $"{name} row {r}");
            }
        }
    }

    /// <summary>The output of every position.</summary>
    public static float[] Logits(string path)
    {
        using Checkpoint checkpoint = Checkpoint.Open(path);
        return Runner.Whole(checkpoint.Load(), [1, 9, 4, 30, 31, 7, 7, 0, 22, 3]);
    }
}
