using Puna.Formats.Gguf;
using Puna.Tensors;
using Puna.Text.Chat;

namespace Puna.Models.Checkpoints;

/// <summary>Finds the chat templates that belong to a checkpoint.</summary>
public static class CheckpointTemplates
{
    /// <summary>Finds them: those inside the GGUF file, or in the files beside the weights.</summary>
    /// <param name="checkpoint">The checkpoint.</param>
    /// <exception cref="PunaException">What should hold them is damaged.</exception>
    public static ChatTemplateSet Find(Checkpoint checkpoint) => checkpoint.Gguf is GgufMetadata metadata ? ChatTemplateSet.Read(metadata)
        : checkpoint.Folder is string folder ? ChatTemplateFile.FindAll(folder)
        : ChatTemplateSet.Empty;
}
