namespace Puna.Models.Checkpoints;

/// <summary>The layouts models are published in.</summary>
public enum CheckpointFormat
{
    /// <summary>A Hugging Face folder: <c>config.json</c> and safetensors.</summary>
    Safetensors,

    /// <summary>A GGUF file, perhaps split.</summary>
    Gguf,

    /// <summary>Meta's <c>consolidated.NN.pth</c> with <c>params.json</c>.</summary>
    Meta,

    /// <summary>llama2.c's version 0 file; read only.</summary>
    Llama2c,
}
