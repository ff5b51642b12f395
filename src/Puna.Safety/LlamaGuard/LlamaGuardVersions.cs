using Puna.Models;
using Puna.Text;

namespace Puna.Safety.LlamaGuard;

/// <summary>Names of the versions, and which one a model is.</summary>
public static class LlamaGuardVersions
{
    /// <summary>Short names, in the order of <see cref="LlamaGuardVersion"/>.</summary>
    public static IReadOnlyList<string> Names { get; } = ["1", "2", "3-8b", "3-1b", "3-11b-vision", "4"];

    /// <summary>The short name of a version.</summary>
    public static string Name(this LlamaGuardVersion version) => Names[(int)version];

    /// <summary>The version of a short name.</summary>
    public static bool TryParse(string name, out LlamaGuardVersion version)
    {
        int index = Names.ToList().FindIndex(n => string.Equals(n, name, StringComparison.OrdinalIgnoreCase));
        version = (LlamaGuardVersion)Math.Max(0, index);
        return index >= 0;
    }

    /// <summary>
    /// The version that a model is, by its tokens and its shape: Llama 4's header tokens; layers that look at pictures; no header tokens at all, Llama 2; else Llama 3's, of which the 1B has hidden size 2048, and Llama Guard 2 the context of 8,192 (or 4,096,
    /// as some lists have it) where Llama Guard 3 has 131,072.
    /// </summary>
    public static LlamaGuardVersion Detect(LlamaConfig config, Tokenizer tokenizer) =>
        tokenizer.IdOf("<|header_start|>") is not null ? LlamaGuardVersion.Four
        : config.Vision is not null ? LlamaGuardVersion.Three11BVision
        : tokenizer.IdOf("<|start_header_id|>") is null ? LlamaGuardVersion.One
        : config.Hidden < 4096 ? LlamaGuardVersion.Three1B
        : config.ContextLength <= 8192 ? LlamaGuardVersion.Two
        : LlamaGuardVersion.Three8B;
}
