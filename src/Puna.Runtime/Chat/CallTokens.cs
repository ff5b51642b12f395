using Puna.Text;

namespace Puna.Runtime.Chat;

/// <summary>The tokens of a vocabulary by what they do at the beginning of a reply, as bit sets: bit <c>i % 32</c> of word <c>i / 32</c> belongs to token <c>i</c>.</summary>
internal sealed class CallTokens
{
    /// <summary>Sorts a vocabulary.</summary>
    /// <param name="tokenizer">The tokenizer.</param>
    /// <param name="vocabulary">Tokens of the model, at least as many as the tokenizer has.</param>
    /// <param name="stops">Tokens that end a text.</param>
    public CallTokens(Tokenizer tokenizer, int vocabulary, IReadOnlyList<int> stops)
    {
        int words = (vocabulary + 31) / 32;
        (Plain, Text, Blank, Separator, Opening, Stops) = (new uint[words], new uint[words], new uint[words], new uint[words], new uint[words], new uint[words]);
        for (int id = 0; id < Math.Min(vocabulary, tokenizer.VocabularySize); id++)
        {
            ReadOnlySpan<byte> bytes = tokenizer.TokenBytes(id);
            if (tokenizer.IsSpecial(id) || bytes.IsEmpty)
            {
                continue;
            }

            Set(Plain, id);
            ReadOnlySpan<byte> rest = bytes.TrimStart(" \t\r\n"u8);
            if (rest.IsEmpty)
            {
                Set(Blank, id);
                Set(Separator, id);
            }
            else if (rest[0] != (byte)'{')
            {
                Set(Text, id);
                if (rest.TrimStart(" \t\r\n;,"u8).IsEmpty)
                {
                    Set(Separator, id);
                }
            }
            else if (rest.Length == bytes.Length)
            {
                Set(Opening, id);
            }
        }

        foreach (int stop in stops)
        {
            if (stop < vocabulary)
            {
                Set(Stops, stop);
            }
        }
    }

    /// <summary>All tokens but special ones.</summary>
    public uint[] Plain { get; }

    /// <summary>Tokens that are text and begin no JSON object, blank ones not among them.</summary>
    public uint[] Text { get; }

    /// <summary>Tokens of white space.</summary>
    public uint[] Blank { get; }

    /// <summary>Tokens that may stand between calls: white space, commas, semicolons.</summary>
    public uint[] Separator { get; }

    /// <summary>Tokens that begin with an opening brace. Those with a space before it are in none of the sets: the constraint could not follow them.</summary>
    public uint[] Opening { get; }

    /// <summary>Tokens that end a text.</summary>
    public uint[] Stops { get; }

    /// <summary>Whether a token is in a set.</summary>
    public static bool Has(uint[] set, int id) => (uint)(id >> 5) < (uint)set.Length && (set[id >> 5] >> (id & 31) & 1) != 0;

    private static void Set(uint[] set, int id) => set[id >> 5] |= 1u << (id & 31);
}
