using Puna.Cli.Parsing;
using Puna.Tensors;
using Puna.Text;
using Puna.Text.Chat;

namespace Puna.Cli.Generation;

/// <summary>A prompt as a user gives it.</summary>
/// <param name="Text">The text, or null where <paramref name="Tokens"/> are given.</param>
/// <param name="Tokens">Token ids, taken exactly so.</param>
/// <param name="System">A system message, or null.</param>
/// <param name="IsRaw">Whether an instruction model is to continue the text as it stands.</param>
internal sealed record PromptInput(string? Text, int[]? Tokens, string? System, bool IsRaw)
{
    /// <summary>Pictures before the text.</summary>
    public IReadOnlyList<ChatImage> Images { get; init; } = [];

    /// <summary>What a guard is to judge.</summary>
    /// <param name="prompt">The prompt made of this.</param>
    /// <exception cref="UsageException">There is no text.</exception>
    public IReadOnlyList<ChatMessage> Conversation(PreparedPrompt prompt)
    {
        string text = Text ?? prompt.Shown ?? throw new UsageException("option --guard: expected a prompt that has a text, got tokens and a model without a tokenizer");
        return System is null ? [new ChatMessage(ChatRole.User, text)] : [new ChatMessage(ChatRole.System, System), new ChatMessage(ChatRole.User, text)];
    }

    /// <summary>Makes the ids the model is given.</summary>
    /// <exception cref="PunaException">The model has no tokenizer where one is needed, no row for a token, or no place for a system message.</exception>
    public PreparedPrompt Prepare(OpenedModel opened)
    {
        if (Tokens is not null)
        {
            TokenIds.Check(Tokens, opened.Llama.Config.InputVocab);
            // The token of a picture may be one that the tokenizer does not know.
            Tokenizer? known = opened.Language.Tokenizer;
            return new PreparedPrompt(Tokens, known?.Decode([.. Tokens.Where(id => id < known.VocabularySize)]), null);
        }

        Tokenizer tokenizer = opened.RequireTokenizer();
        // Who gives the embedded model the beginning of a text wants it continued; a system message asks for a reply.
        bool isContinued = IsRaw || (opened.ContinuesText && System is null);
        ChatFormat? format = isContinued ? null : opened.Language.Chat?.Format;
        if (format is not null)
        {
            ChatMessage user = new(ChatRole.User, Text!) { Images = Images };
            ChatMessage[] messages = System is null ? [user] : [new ChatMessage(ChatRole.System, System), user];
            return new PreparedPrompt(format.Encode(messages, tokenizer), null, format.StopIds(tokenizer));
        }

        if (System is not null)
        {
            throw new UsageException(IsRaw
                ? "options --system and --raw exclude each other"
                : $"option --system: expected a model with a chat format, got {opened.Name}: {opened.Language.Chat?.Explanation}");
        }

        // A text to be continued has no end yet, whatever the tokenizer adds to texts that are complete.
        var ids = new List<int>();
        if (tokenizer.AddBos && tokenizer.BosId is int bos)
        {
            ids.Add(bos);
        }

        foreach (ChatImage image in Images)
        {
            ids.AddRange(ImageTokens.Of(image, tokenizer));
        }

        tokenizer.Encode(Text!, ids);
        return new PreparedPrompt([.. ids], Text, null);
    }
}
