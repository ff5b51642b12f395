using System.Text;
using Puna.Text;

namespace Puna.Fuzz.Targets;

/// <summary>Any bytes as a text, through a tokenizer of each kind: nothing is refused, and what byte-level tokenizers encode comes back.</summary>
public sealed class TokenizerTextTarget : IFuzzTarget
{
    private static readonly Tokenizer[] _tokenizers = [.. Corpora().Select(static c => TokenizerLoader.Read(c, "fuzz"))];

    /// <inheritdoc/>
    public string Name => "tokenizer-text";

    /// <inheritdoc/>
    public bool AcceptsEverything => true;

    /// <inheritdoc/>
    public IReadOnlyList<byte[]> Corpus { get; } =
    [
        "Once upon a time, there was a llama. It's 12345 o'clock!\n\n  Then\tit DIDN'T."u8.ToArray(),
        "<s>ab</s> <|begin_of_text|><|eot_id|> <unk> <0x41> ▁▁a"u8.ToArray(),
        "中文 العربية हिन्दी 🦙\u200D e\u0301 'ſ \u00A0\u3000\u0085\u001C"u8.ToArray(),
        Encoding.UTF8.GetBytes(new string('a', 200) + new string(' ', 200) + new string('\n', 60)),
    ];

    /// <inheritdoc/>
    public void Run(byte[] input)
    {
        string text = Encoding.UTF8.GetString(input);
        foreach (Tokenizer tokenizer in _tokenizers)
        {
            foreach (SpecialTokens special in (ReadOnlySpan<SpecialTokens>)[SpecialTokens.None, SpecialTokens.All])
            {
                int[] ids = TokenizerUse.RoundTrip(tokenizer, text, special);
                if (tokenizer.Kind == TokenizerKind.Tiktoken && tokenizer.Decode(ids) != text)
                {
                    throw new InvalidOperationException("the text does not come back");
                }
            }

            tokenizer.EncodeUtf8(input, []);
        }
    }

    private static IEnumerable<byte[]> Corpora() => [.. new SentencePieceTarget().Corpus, .. new RankFileTarget().Corpus, .. new TokenizerJsonTarget().Corpus];
}
