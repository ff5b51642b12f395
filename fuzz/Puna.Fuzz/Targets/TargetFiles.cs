using Puna.Formats;
using Puna.Tensors;

namespace Puna.Fuzz.Targets;

/// <summary>What targets of checkpoint formats share.</summary>
internal static class TargetFiles
{
    /// <summary>The bytes of the one file that <paramref name="write"/> makes at the path it is given.</summary>
    public static byte[] Written(string name, Action<string> write)
    {
        string folder = Directory.CreateTempSubdirectory("puna-fuzz-").FullName;
        try
        {
            string path = Path.Combine(folder, name);
            write(path);
            return File.ReadAllBytes(path);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Declares tensors and writes counting bytes into them.</summary>
    public static void Write(TensorWriter writer, params ReadOnlySpan<(string Name, DType DType, Shape Shape)> tensors)
    {
        using (writer)
        {
            foreach ((string name, DType dtype, Shape shape) in tensors)
            {
                writer.Declare(name, dtype, shape);
            }

            writer.Begin();
            while (writer.Current is { } tensor)
            {
                writer.Write([.. Enumerable.Range(0, (int)tensor.ByteLength).Select(i => (byte)i)]);
            }

            writer.Complete();
        }
    }

    /// <summary>Bytes in storage of their own, exactly as long, so that reading behind the end is noticed.</summary>
    public static NativeStorage Storage(byte[] input)
    {
        var storage = new NativeStorage(input.Length, clear: false);
        input.CopyTo(storage.Span<byte>(0, input.Length));
        return storage;
    }

    /// <summary>Takes every tensor of a file and reads all its bytes.</summary>
    public static void ReadAll(TensorFile file)
    {
        int sum = 0;
        foreach (TensorInfo info in file.Tensors)
        {
            Tensor tensor = file.GetTensor(info.Name);
            if (tensor.Shape != info.Shape || tensor.DType != info.DType || tensor.ByteLength != info.ByteLength)
            {
                throw new InvalidOperationException($"tensor {info.Name} is not what its entry says");
            }

            if (tensor.Shape.Count == 0)
            {
                continue; // it may have any number of rows of no bytes
            }

            for (long row = 0; row < tensor.Rows; row++)
            {
                foreach (byte value in tensor.Row<byte>(row))
                {
                    sum += value;
                }
            }
        }

        GC.KeepAlive(sum);
    }
}
