using System.Text;
using Puna.Formats.Gguf;
using Puna.Tensors;
using Puna.Text;

namespace Puna.Fuzz.Targets;

/// <summary>What is done with a tokenizer that was read from damaged bytes, and what must hold for any tokenizer.</summary>
internal static class TokenizerUse
{
    private static readonly string[] _texts = ["", "ab abc  a\n\u00A0b", " \u2581<s>b</s> <0x41>", "中🦙\u0301é 123 'S don't", "\ud800x", new string('a', 300), new string(' ', 300)];

    /// <summary>Encodes and decodes, by every way there is, and writes it in another form.</summary>
    public static void All(Tokenizer tokenizer)
    {
        foreach (string text in _texts)
        {
            RoundTrip(tokenizer, text, SpecialTokens.All);
            RoundTrip(tokenizer, text, SpecialTokens.None);
        }

        int[] some = [.. Enumerable.Range(0, Math.Min(600, tokenizer.VocabularySize))];
        SameDecoding(tokenizer, some);
        SameDecoding(tokenizer, [.. some.Reverse()]);
        foreach (int id in some)
        {
            _ = tokenizer.TokenText(id);
            _ = tokenizer.IdOf(tokenizer.Piece(id));
        }

        var metadata = new GgufMetadata();
        try
        {
            TokenizerWriter.WriteGguf(tokenizer, metadata);
        }
        catch (PunaException)
        {
            return; // not every tokenizer has keys in GGUF
        }

        Tokenizer again = GgufTokenizer.Create(metadata) ?? throw new InvalidOperationException("keys were written, but no tokenizer is read from them");
        if (again.VocabularySize != tokenizer.VocabularySize)
        {
            throw new InvalidOperationException($"{tokenizer.VocabularySize} tokens became {again.VocabularySize} in GGUF");
        }
    }

    /// <summary>Encodes a text, decodes its ids at once and one by one; returns the ids.</summary>
    public static int[] RoundTrip(Tokenizer tokenizer, string text, SpecialTokens special)
    {
        int[] ids = tokenizer.Encode(text, special);
        if (special.IsNone && Array.Exists(ids, id => tokenizer.IsSpecial(id) && id != tokenizer.UnkId))
        {
            throw new InvalidOperationException("a special token was not allowed, but came");
        }

        var fromBytes = new List<int>();
        tokenizer.EncodeUtf8(Encoding.UTF8.GetBytes(text), fromBytes, special);
        if (!fromBytes.SequenceEqual(ids))
        {
            throw new InvalidOperationException("UTF-8 and UTF-16 give different ids");
        }

        SameDecoding(tokenizer, ids);
        return ids;
    }

    private static void SameDecoding(Tokenizer tokenizer, int[] ids)
    {
        foreach (bool skip in (ReadOnlySpan<bool>)[false, true])
        {
            IncrementalDecoder decoder = tokenizer.CreateDecoder(skip);
            string parts = string.Concat(ids.Select(decoder.Push)) + decoder.Flush();
            if (parts != tokenizer.Decode(ids, skip))
            {
                throw new InvalidOperationException("decoding id by id gives another text");
            }
        }
    }
}
