using Puna.Formats;
using Puna.Models.Checkpoints;
using Puna.Text;
using Puna.Text.Chat;

namespace Puna.Cli.Locating;

/// <summary>A model that has been found and can be opened.</summary>
/// <param name="name">What to call it.</param>
internal abstract class ModelSource(string name)
{
    /// <summary>What to call the model: as the user did, or the embedded name.</summary>
    public string Name { get; } = name;

    /// <summary>Path of the file or folder; null for an embedded model.</summary>
    public abstract string? Path { get; }

    /// <summary>Whether the model continues texts that it is given, although it has a chat format: one that was made for both.</summary>
    public virtual bool ContinuesText => false;

    /// <summary>Opens it as a model that can be run.</summary>
    /// <param name="map">False reads files into memory instead of mapping them.</param>
    /// <exception cref="Tensors.PunaException">It is no such model; names what is wrong and where.</exception>
    public abstract Checkpoint OpenCheckpoint(bool map);

    /// <summary>Opens its tensors alone, whatever model they make.</summary>
    /// <param name="map">False reads files into memory instead of mapping them.</param>
    /// <exception cref="Tensors.PunaException">It is no file of tensors; names what is wrong and where.</exception>
    public abstract TensorFile OpenTensors(bool map);

    /// <summary>Opens its tokenizer.</summary>
    /// <param name="map">False reads files into memory instead of mapping them.</param>
    /// <exception cref="Tensors.PunaException">There is none, or it is not understood.</exception>
    public abstract Tokenizer OpenTokenizer(bool map);

    /// <summary>Its chat templates.</summary>
    /// <param name="map">False reads files into memory instead of mapping them.</param>
    /// <exception cref="Tensors.PunaException">A file that should hold them is damaged.</exception>
    public abstract ChatTemplateSet FindChatTemplates(bool map);
}
