using System.Text;
using Puna.Text;
using Puna.Text.Tools;

namespace Puna.Runtime.Chat;

/// <summary>The tokens of a vocabulary by what they do at the beginning of a reply, as bit sets: bit <c>i % 32</c> of word <c>i / 32</c> belongs to token <c>i</c>.</summary>
internal sealed class CallTokens
{
    private static readonly byte[] White = Encoding.ASCII.GetBytes(ToolCallParser.WhiteSpace);
    private static readonly byte[] Between = [.. White, (byte)';', (byte)','];

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
            // What the reader of calls skips before one (ToolCallParser.WhiteSpace): any other kind of space is text, after which nothing in braces is a call.
            ReadOnlySpan<byte> rest = bytes.TrimStart(White);
            if (rest.IsEmpty)
            {
                Set(Blank, id);
                Set(Separator, id);
            }
            else if (rest[0] != (byte)'{')
            {
                Set(Text, id);
                if (rest.TrimStart(Between).IsEmpty)
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
