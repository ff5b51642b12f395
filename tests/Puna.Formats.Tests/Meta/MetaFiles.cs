using System.Runtime.InteropServices;
using Puna.Tensors;
using Puna.Tests.Shared;

namespace Puna.Formats.Tests.Meta;

/// <summary>What the tests of this folder share.</summary>
internal static class MetaFiles
{
    /// <summary>A writable copy of a fixture folder.</summary>
    public static ScratchFolder CopyOf(string fixture)
    {
        var copy = new ScratchFolder();
        foreach (string file in Directory.GetFiles(TestFiles.Fixture("meta", fixture)))
        {
            copy.Write(Path.GetFileName(file), File.ReadAllBytes(file));
        }

        return copy;
    }

    public static byte[] Bytes(params float[] values) => MemoryMarshal.AsBytes<float>(values).ToArray();

    public static float[] Floats(Tensor tensor) => tensor.DType == DType.F16
        ? [.. TensorBytes.Of<Half>(tensor).Select(x => (float)x)]
        : TensorBytes.Of<float>(tensor);
}
