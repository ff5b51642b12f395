using Puna.Formats;
using Puna.Formats.Images;
using Puna.Formats.Safetensors;
using Puna.Tensors;

namespace Puna.Fuzz.Targets;

/// <summary>What the targets of pictures share: small pictures of every kind, those of the decoders' tests.</summary>
internal static class ImageCorpus
{
    // What is larger is refused like any other excess; the largest that is decoded stays well below the cap on allocations.
    private static readonly ImageLimits _limits = new(MaxBytes: 1 << 20, MaxPixels: 1 << 21);

    private static readonly Lazy<IReadOnlyDictionary<string, byte[]>> _pictures = new(ReadAll);

    /// <summary>The files whose names begin so.</summary>
    public static IReadOnlyList<byte[]> Pictures(string kind) =>
        [.. _pictures.Value.Where(p => p.Key.StartsWith(kind, StringComparison.Ordinal)).OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => p.Value)];

    /// <summary>Decodes a picture, or where the length is even up to four frames, and looks at every pixel.</summary>
    public static void Run(byte[] input)
    {
        if (input.Length % 2 == 1)
        {
            Look(ImageReader.Decode(input, "fuzz", _limits));
            return;
        }

        foreach (RgbImage frame in ImageReader.DecodeFrames(input, "fuzz", 4, _limits))
        {
            Look(frame);
        }
    }

    private static void Look(RgbImage image)
    {
        if (image.Width < 1 || image.Height < 1 || image.Pixels.LongLength != 3L * image.Width * image.Height)
        {
            throw new InvalidOperationException($"a picture of {image.Width} x {image.Height} has {image.Pixels.Length} bytes");
        }

        GC.KeepAlive(image.Pixels.AsSpan().Count((byte)0));
    }

    private static Dictionary<string, byte[]> ReadAll()
    {
        using Stream stream = typeof(ImageCorpus).Assembly.GetManifestResourceStream("pillow.safetensors")!;
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        using NativeStorage storage = TargetFiles.Storage(bytes);
        using SafetensorsFile file = SafetensorsFile.Parse(storage, "pillow.safetensors");
        var pictures = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        foreach (TensorInfo info in file.Tensors.Where(t => t.Name.EndsWith(".file", StringComparison.Ordinal)))
        {
            Tensor tensor = file.GetTensor(info.Name);
            pictures.Add(info.Name, tensor.Storage.Span<byte>(tensor.Offset, (int)tensor.Shape.Count).ToArray());
        }

        return pictures;
    }
}
