using Puna.DefaultModel;
using Puna.Formats;
using Puna.Formats.Gguf;
using Puna.Models.Checkpoints;
using Puna.Tensors;
using Puna.Text;
using Puna.Text.Chat;

namespace Puna.Cli.Locating;

/// <summary>A model inside this program.</summary>
/// <param name="name">One of <see cref="DefaultModels.Names"/>.</param>
internal sealed class EmbeddedModel(string name) : ModelSource(name)
{
    /// <inheritdoc/>
    public override string? Path => null;

    /// <inheritdoc/>
    public override bool ContinuesText => true;

    /// <inheritdoc/>
    public override Checkpoint OpenCheckpoint(bool map) => Checkpoint.OpenGguf(Open());

    /// <inheritdoc/>
    public override TensorFile OpenTensors(bool map) => Open();

    /// <inheritdoc/>
    public override Tokenizer OpenTokenizer(bool map)
    {
        using GgufFile file = Open();
        return GgufTokenizer.Create(file.Metadata) ?? throw new PunaException($"model {Name}: expected a vocabulary, got none");
    }

    /// <inheritdoc/>
    public override ChatTemplateSet FindChatTemplates(bool map)
    {
        using GgufFile file = Open();
        return ChatTemplateSet.Read(file.Metadata);
    }

    /// <summary>Bytes of the model.</summary>
    public static long Size(string name)
    {
        using Stream stream = DefaultModels.Open(name);
        return stream.Length;
    }

    private GgufFile Open()
    {
        using Stream stream = DefaultModels.Open(Name);
        var storage = new NativeStorage(checked((nint)stream.Length), clear: false);
        try
        {
            stream.ReadExactly(storage.Span<byte>(0, checked((int)stream.Length)));
            return GgufFile.Parse(storage, Name);
        }
        catch
        {
            storage.Dispose();
            throw;
        }
    }
}
