using Puna.DefaultModel;
using Puna.Formats.Gguf;
using Puna.Models.Checkpoints;
using Puna.Runtime.Generation;
using Puna.Tensors;

namespace Puna.Samples;

/// <summary>The model of the samples: a file or folder where one is named, otherwise the small one that comes with Puna.</summary>
internal static class SampleModel
{
    /// <summary>Opens it.</summary>
    public static LanguageModel Open(string? path, CpuOps ops)
    {
        if (path is not null)
        {
            return LanguageModel.Open(path, map: true, ops);
        }

        using Stream stream = DefaultModels.Open(DefaultModels.Default);
        var storage = new NativeStorage(checked((nint)stream.Length), clear: false);
        stream.ReadExactly(storage.Span<byte>(0, checked((int)stream.Length)));
        return LanguageModel.Open(Checkpoint.OpenGguf(GgufFile.Parse(storage, DefaultModels.Default)), ops);
    }
}
