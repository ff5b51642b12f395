namespace Puna.Text;

/// <summary>Roles by the names that tokens of the Llama family and its relatives have, for files that do not name them.</summary>
internal static class RoleNames
{
    private static readonly string[] Bos = ["<|begin_of_text|>", "<s>", "<｜begin▁of▁sentence｜>", "<|startoftext|>"];
    private static readonly string[] Eos = ["<|end_of_text|>", "</s>", "<｜end▁of▁sentence｜>", "<|endoftext|>"];
    private static readonly string[] Eot = ["<|eot_id|>", "<|eot|>", "<|im_end|>"];
    private static readonly string[] Eom = ["<|eom_id|>", "<|eom|>"];
    private static readonly string[] Pad = ["<|finetune_right_pad_id|>", "<|finetune_right_pad|>", "<pad>", "[PAD]", "<|pad|>"];
    private static readonly string[] Prefix = ["▁<PRE>", "<|fim_prefix|>", "<fim_prefix>", "<PRE>"];
    private static readonly string[] Suffix = ["▁<SUF>", "<|fim_suffix|>", "<fim_suffix>", "<SUF>"];
    private static readonly string[] Middle = ["▁<MID>", "<|fim_middle|>", "<fim_middle>", "<MID>"];
    private static readonly string[] End = ["▁<EOT>", "<EOT>"];

    /// <summary>Roles of the names a vocabulary has.</summary>
    public static TokenRoles Of(Func<string, int?> idOf)
    {
        int? First(string[] names)
        {
            foreach (string name in names)
            {
                if (idOf(name) is int id)
                {
                    return id;
                }
            }

            return null;
        }

        var roles = new TokenRoles
        {
            Bos = First(Bos),
            Eos = First(Eos),
            Eot = First(Eot),
            Eom = First(Eom),
            Pad = First(Pad),
            FimPrefix = First(Prefix),
            FimSuffix = First(Suffix),
            FimMiddle = First(Middle),
            FimEnd = First(End),
        };
        return roles with { Stop = Stop(roles.Eos, roles.Eot, roles.Eom) };
    }

    /// <summary>The ids that are there, ascending, each once.</summary>
    public static IReadOnlyList<int> Stop(params IEnumerable<int?> ids) => [.. ids.OfType<int>().Distinct().Order()];
}
