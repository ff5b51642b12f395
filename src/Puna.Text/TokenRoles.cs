namespace Puna.Text;

/// <summary>Which ids play which part, and what is put around a text by default. Absent roles are null (spec llama1-3.md 1.4, llama4.md 6.3).</summary>
public sealed record TokenRoles
{
    /// <summary>Beginning of a text: 1 (SentencePiece), 128000 (Llama 3), 200000 (Llama 4).</summary>
    public int? Bos { get; init; }

    /// <summary>End of a text: 2, 128001, 200001.</summary>
    public int? Eos { get; init; }

    /// <summary>End of a turn (<c>&lt;|eot_id|&gt;</c> 128009, <c>&lt;|eot|&gt;</c> 200008).</summary>
    public int? Eot { get; init; }

    /// <summary>End of a message that awaits a tool (<c>&lt;|eom_id|&gt;</c> 128008, <c>&lt;|eom|&gt;</c> 200007).</summary>
    public int? Eom { get; init; }

    /// <summary>Padding.</summary>
    public int? Pad { get; init; }

    /// <summary>Stands for what the vocabulary cannot spell.</summary>
    public int? Unk { get; init; }

    /// <summary>Infilling: before the prefix (Code Llama <c>▁&lt;PRE&gt;</c> 32007, Llama 4 <c>&lt;|fim_prefix|&gt;</c>).</summary>
    public int? FimPrefix { get; init; }

    /// <summary>Infilling: before the suffix (Code Llama <c>▁&lt;SUF&gt;</c> 32008).</summary>
    public int? FimSuffix { get; init; }

    /// <summary>Infilling: before the middle (Code Llama <c>▁&lt;MID&gt;</c> 32009).</summary>
    public int? FimMiddle { get; init; }

    /// <summary>Infilling: ends the middle (Code Llama <c>▁&lt;EOT&gt;</c> 32010).</summary>
    public int? FimEnd { get; init; }

    /// <summary>Generation ends at any of these; ascending, without duplicates.</summary>
    public IReadOnlyList<int> Stop { get; init; } = [];

    /// <summary>Whether a text given to the model starts with <see cref="Bos"/> unless the caller says otherwise.</summary>
    public bool AddBos { get; init; }

    /// <summary>Whether a text given to the model ends with <see cref="Eos"/> unless the caller says otherwise.</summary>
    public bool AddEos { get; init; }
}
