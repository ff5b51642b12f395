namespace Puna.Text.Tiktoken;

/// <summary>Which generation's split pattern and special tokens go with a file of ranks.</summary>
public enum TiktokenFamily
{
    /// <summary>Llama 3 to 3.3: 128,000 ranks and 256 special tokens as Llama 3.1 names them (spec llama1-3.md 5.4).</summary>
    Llama3,

    /// <summary>Llama 4: 200,000 ranks and 2,048 special tokens (spec llama4.md 6.2).</summary>
    Llama4,
}
