using Puna.Formats.Gguf;
using Puna.Tensors;
using Puna.Text;

namespace Puna.Models.Checkpoints;

/// <summary>Finds the tokenizer that belongs to a checkpoint.</summary>
public static class CheckpointTokenizer
{
    /// <summary>Opens it.</summary>
    /// <returns>The tokenizer inside the GGUF file or beside the weights, or null where there is none.</returns>
    /// <exception cref="PunaException">It is damaged or not understood, or it has tokens the embedding has no row for.</exception>
    public static Tokenizer? Open(Checkpoint checkpoint)
    {
        Tokenizer? tokenizer = checkpoint.Gguf is GgufMetadata metadata ? GgufTokenizer.Create(metadata, checkpoint.Path)
            : checkpoint.Folder is string folder ? TokenizerLoader.TryOpenFolder(folder)
            : null;
        if (tokenizer is not null && tokenizer.VocabularySize > checkpoint.Config.InputVocab)
        {
            throw new PunaException($"vocabulary of {checkpoint.Path}: expected at most {checkpoint.Config.InputVocab} tokens, as many as the embedding has rows, got {tokenizer.VocabularySize}");
        }

        return tokenizer;
    }
}
