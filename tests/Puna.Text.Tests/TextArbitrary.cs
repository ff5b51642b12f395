using System.Text;

namespace Puna.Text.Tests;

/// <summary>Random texts for properties: every Unicode scalar can occur, and the characters tokenizers treat specially occur often.</summary>
public static class TextArbitrary
{
    private static readonly string[] Frequent =
    [
        "a", "e", "t", " ", " ", "  ", "\n", "\r\n", "\t", "'s", "1", "23", "▁", "é", "中", "🦙", "\u0301", "\u200D", "\uFFFD", "<s>", "</s>", "<unk>", "<0x41>", "<|eot_id|>", "<|begin_of_text|>",
        "<|eot|>", "the", " llama", ".", "\u00A0", "\u3000", "\0",
    ];

    /// <summary>A well-formed text of up to <paramref name="most"/> parts.</summary>
    public static string Next(Random random, int most = 24)
    {
        var text = new StringBuilder();
        for (int parts = random.Next(most + 1); parts > 0; parts--)
        {
            if (random.Next(3) > 0)
            {
                text.Append(Frequent[random.Next(Frequent.Length)]);
                continue;
            }

            int scalar = random.Next(4) switch { 0 => random.Next(0x80), 1 => random.Next(0x800), 2 => random.Next(0x10000), _ => random.Next(0x110000) };
            text.Append(Rune.IsValid(scalar) ? new Rune(scalar).ToString() : "x");
        }

        return text.ToString();
    }

    /// <summary>Ids from the whole vocabulary, byte pieces more often than others.</summary>
    public static int[] Ids(Random random, Tokenizer tokenizer, int most = 16)
    {
        int[] ids = new int[random.Next(most + 1)];
        for (int i = 0; i < ids.Length; i++)
        {
            ids[i] = random.Next(random.Next(2) == 0 ? Math.Min(262, tokenizer.VocabularySize) : tokenizer.VocabularySize);
        }

        return ids;
    }

    /// <summary>What an incremental decoder makes of ids; asserts that no part ends inside a character.</summary>
    public static string Incremental(Tokenizer tokenizer, int[] ids, bool skipSpecial = false)
    {
        IncrementalDecoder decoder = tokenizer.CreateDecoder(skipSpecial);
        var text = new StringBuilder();
        foreach (int id in ids)
        {
            string part = decoder.Push(id);
            Assert.False(part.Length > 0 && (char.IsHighSurrogate(part[^1]) || char.IsLowSurrogate(part[0])));
            text.Append(part);
        }

        return text.Append(decoder.Flush()).ToString();
    }
}
