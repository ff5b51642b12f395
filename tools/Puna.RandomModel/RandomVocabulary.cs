using System.Globalization;
using System.Text;
using Puna.Formats.Gguf;

/// <summary>
/// A byte-level vocabulary of any size whose merges are drawn at random: opening a model and splitting a text then cost what they cost with a released
/// vocabulary of that size, and any text has tokens.
/// </summary>
internal static class RandomVocabulary
{
    private const int Bytes = 256;
    private const int LongestToken = 12;

    /// <summary>Sets the keys of a vocabulary: single bytes, merges, then as many special tokens as Llama 3 has (fewer where there is little room).</summary>
    /// <param name="metadata">Of the file.</param>
    /// <param name="size">Number of tokens, at least 258.</param>
    /// <param name="seed">Chooses the merges.</param>
    public static void Write(GgufMetadata metadata, int size, int seed)
    {
        const int NormalToken = 1;
        const int ControlToken = 3;
        int specials = Math.Clamp(size - Bytes, 2, 256);
        int normal = size - specials;
        var tokens = new List<string>(size);
        AddBytes(tokens);
        var merges = new List<string>();
        var seen = new HashSet<string>(tokens);
        var random = new Random(seed);
        // Letters and the mark of a space first, so that English text is merged too.
        int[] common = [.. Enumerable.Range(0, Bytes).Where(b => char.IsAsciiLetterLower(tokens[b][0]) || tokens[b] == "\u0120")];
        while (tokens.Count < normal)
        {
            string left = Draw();
            string right = Draw();
            if (left.Length + right.Length <= LongestToken && seen.Add(left + right))
            {
                merges.Add($"{left} {right}");
                tokens.Add(left + right);
            }
        }

        int begin = tokens.Count;
        tokens.Add("<|begin_of_text|>");
        tokens.Add("<|end_of_text|>");
        for (int i = 2; i < specials; i++)
        {
            tokens.Add(string.Create(CultureInfo.InvariantCulture, $"<|reserved_special_token_{i - 2}|>"));
        }

        metadata.Set("tokenizer.ggml.model", "gpt2");
        metadata.Set("tokenizer.ggml.pre", "llama-bpe");
        metadata.Set("tokenizer.ggml.tokens", tokens.ToArray());
        metadata.Set("tokenizer.ggml.token_type", Enumerable.Range(0, size).Select(i => i < begin ? NormalToken : ControlToken).ToArray());
        metadata.Set("tokenizer.ggml.merges", merges.ToArray());
        metadata.Set("tokenizer.ggml.bos_token_id", (uint)begin);
        metadata.Set("tokenizer.ggml.eos_token_id", (uint)begin + 1);

        string Draw()
        {
            int i = random.Next(common.Length + tokens.Count - Bytes);
            return i < common.Length ? tokens[common[i]] : tokens[Bytes + i - common.Length];
        }
    }

    /// <summary>GPT-2's alphabet: a printable character for every byte, in the order of the bytes.</summary>
    private static void AddBytes(List<string> tokens)
    {
        int next = Bytes;
        for (int b = 0; b < Bytes; b++)
        {
            bool isPrintable = b is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF);
            tokens.Add(new Rune(isPrintable ? b : next++).ToString());
        }
    }
}
