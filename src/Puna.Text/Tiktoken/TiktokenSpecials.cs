namespace Puna.Text.Tiktoken;

/// <summary>The special tokens of each generation, in the order of their ids, and their roles.</summary>
public static class TiktokenSpecials
{
    /// <summary>Names of the special tokens; the first has the id that follows the last rank.</summary>
    public static IReadOnlyList<string> Names(TiktokenFamily family) => family == TiktokenFamily.Llama4 ? Llama4() : Llama3();

    /// <summary>Roles where <paramref name="first"/> is the id of the first special token.</summary>
    public static TokenRoles Roles(TiktokenFamily family, int first) => family == TiktokenFamily.Llama4
        ? new TokenRoles
        {
            Bos = first,
            Eos = first + 1,
            FimPrefix = first + 2,
            FimMiddle = first + 3,
            FimSuffix = first + 4,
            Eom = first + 7,
            Eot = first + 8,
            Pad = first + 18,
            Stop = [first + 1, first + 7, first + 8],
            AddBos = true,
        }
        : new TokenRoles
        {
            Bos = first,
            Eos = first + 1,
            Pad = first + 4,
            Eom = first + 8,
            Eot = first + 9,
            Stop = [first + 1, first + 8, first + 9],
            AddBos = true,
        };

    // Spec llama1-3.md 5.4, the column of Llama 3.1 and later; 256 names.
    private static List<string> Llama3()
    {
        List<string> names =
        [
            "<|begin_of_text|>", "<|end_of_text|>", "<|reserved_special_token_0|>", "<|reserved_special_token_1|>", "<|finetune_right_pad_id|>", "<|step_id|>",
            "<|start_header_id|>", "<|end_header_id|>", "<|eom_id|>", "<|eot_id|>", "<|python_tag|>", "<|image|>",
        ];
        Reserve(names, "", 2, 245);
        return names;
    }

    // Spec llama4.md 6.2; 2,048 names.
    private static List<string> Llama4()
    {
        List<string> names =
        [
            "<|begin_of_text|>", "<|end_of_text|>", "<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>", "<|header_start|>", "<|header_end|>", "<|eom|>", "<|eot|>",
            "<|step|>",
        ];
        Reserve(names, "text_post_train_", 0, 5);
        names.AddRange(["<|python_start|>", "<|python_end|>", "<|finetune_right_pad|>"]);
        Reserve(names, "text_post_train_", 8, 68);
        names.AddRange(["<|image_start|>", "<|image_end|>"]);
        Reserve(names, "vision_", 0, 1);
        names.AddRange(["<|tile_x_separator|>", "<|tile_y_separator|>"]);
        Reserve(names, "vision_", 2, 5);
        names.Add("<|image|>");
        Reserve(names, "vision_", 6, 6);
        names.Add("<|patch|>");
        Reserve(names, "vision_", 7, 1047);
        Reserve(names, "reasoning_", 0, 7);
        names.AddRange(["<|reasoning_thinking_start|>", "<|reasoning_thinking_end|>"]);
        Reserve(names, "", 0, 903);
        return names;
    }

    private static void Reserve(List<string> names, string group, int first, int last)
    {
        for (int i = first; i <= last; i++)
        {
            names.Add($"<|{group}reserved_special_token_{i}|>");
        }
    }
}
