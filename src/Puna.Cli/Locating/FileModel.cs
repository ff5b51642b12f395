using Puna.Formats;
using Puna.Formats.Gguf;
using Puna.Formats.Meta;
using Puna.Formats.Safetensors;
using Puna.Models.Checkpoints;
using Puna.Tensors;
using Puna.Text;
using Puna.Text.Chat;

namespace Puna.Cli.Locating;

/// <summary>A model in a file or folder.</summary>
/// <param name="name">What the user called it.</param>
/// <param name="path">The file or folder.</param>
internal sealed class FileModel(string name, string path) : ModelSource(name)
{
    /// <inheritdoc/>
    public override string Path { get; } = path;

    /// <inheritdoc/>
    public override Checkpoint OpenCheckpoint(bool map) => Checkpoint.Open(Path, map);

    /// <inheritdoc/>
    public override TensorFile OpenTensors(bool map)
    {
        if (Directory.Exists(Path))
        {
            return OpenFolder(map);
        }

        if (HasEnd(".safetensors") || HasEnd(SafetensorsFile.IndexSuffix))
        {
            return SafetensorsFile.Open(Path, map);
        }

        if (HasEnd(".pth") || HasEnd(".pt"))
        {
            return MetaCheckpoint.Open(Path, map);
        }

        return HasEnd(".bin") ? Llama2cFile.Open(Path, map) : GgufFile.Open(Path, map);
    }

    /// <inheritdoc/>
    public override Tokenizer OpenTokenizer(bool map)
    {
        if (HasEnd(".gguf"))
        {
            return FromGguf(Path, map);
        }

        // The tokenizer of weights is beside them.
        bool isWeights = HasEnd(".safetensors") || HasEnd(SafetensorsFile.IndexSuffix) || HasEnd(".pth") || HasEnd(".bin");
        string? folder = isWeights ? System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(Path)) : Directory.Exists(Path) ? Path : null;
        if (folder is null)
        {
            return TokenizerLoader.Open(Path);
        }

        if (TokenizerLoader.TryOpenFolder(folder) is { } tokenizer)
        {
            return tokenizer;
        }

        string[] gguf = Directory.GetFiles(folder, "*.gguf");
        return gguf.Length > 0 && !isWeights
            ? FromGguf(gguf.Order(StringComparer.Ordinal).First(), map)
            : throw new PunaException($"model {Path}: expected tokenizer.json or tokenizer.model with it, got none");
    }

    /// <inheritdoc/>
    public override ChatTemplateSet FindChatTemplates(bool map)
    {
        string folder = Directory.Exists(Path) ? Path : System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(Path))!;
        string? gguf = HasEnd(".gguf") ? Path
            : Directory.Exists(Path) && !File.Exists(System.IO.Path.Combine(Path, "config.json")) ? Directory.GetFiles(Path, "*.gguf").Order(StringComparer.Ordinal).FirstOrDefault() : null;
        if (gguf is null)
        {
            return ChatTemplateFile.FindAll(folder);
        }

        using GgufFile file = GgufFile.Open(gguf, map);
        return ChatTemplateSet.Read(file.Metadata);
    }

    private static Tokenizer FromGguf(string path, bool map)
    {
        using GgufFile file = GgufFile.Open(path, map);
        return GgufTokenizer.Create(file.Metadata, path) ?? throw new PunaException($"model {path}: expected a vocabulary in its metadata, got none");
    }

    // The same order as where a folder is opened as a model: a config.json makes it a folder of safetensors.
    private TensorFile OpenFolder(bool map)
    {
        string[] safetensors = Directory.GetFiles(Path, "*.safetensors");
        string[] gguf = Directory.GetFiles(Path, "*.gguf");
        if (safetensors.Length > 0 && (gguf.Length == 0 || File.Exists(System.IO.Path.Combine(Path, "config.json"))))
        {
            return SafetensorsFile.Open(Path, map);
        }

        if (MetaCheckpoint.IsIn(Path))
        {
            return MetaCheckpoint.Open(Path, map);
        }

        // What else there may be, and what to say where there is nothing, is known where models are opened.
        Checkpoint checkpoint = Checkpoint.Open(Path, map);
        return checkpoint.File;
    }

    private bool HasEnd(string end) => Path.EndsWith(end, StringComparison.OrdinalIgnoreCase);
}
