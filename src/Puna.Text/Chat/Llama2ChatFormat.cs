using Puna.Tensors;

namespace Puna.Text.Chat;

/// <summary>
/// Llama 2 Chat, and Code Llama Instruct 7B, 13B and 34B (spec llama1-3.md 6.2). The tags are plain text to the tokenizer, so that content which
/// contains one is refused, as Meta's code does it. A system message is folded into the first user message.
/// </summary>
public sealed class Llama2ChatFormat : ChatFormat
{
    /// <summary>What Meta's code answers when a message contains a tag; the error's message begins with it.</summary>
    public const string SpecialTagsError = "Error: special tags are not allowed as part of the prompt.";

    private static readonly string[] Tags = ["[INST]", "[/INST]", "<<SYS>>", "<</SYS>>"];
    private static readonly ChatPiece Bos = new(ChatPieceKind.Bos, "<s>");
    private static readonly ChatPiece Eos = new(ChatPieceKind.Eos, "</s>");
    private readonly bool _refusesStep;

    private Llama2ChatFormat(string name, bool refusesStep)
        : base(name) => _refusesStep = refusesStep;

    /// <summary>Llama 2 Chat.</summary>
    public static Llama2ChatFormat Llama2 { get; } = new("Llama 2", false);

    /// <summary>Code Llama Instruct up to 34B: the same, with <c>&lt;step&gt;</c> refused too.</summary>
    public static Llama2ChatFormat CodeLlama { get; } = new("Code Llama", true);

    /// <inheritdoc/>
    private protected override bool HasToolRole => false;

    /// <inheritdoc/>
    private protected override IReadOnlyList<ChatPiece> Stops => [Eos];

    /// <summary>Refuses content with a tag of the Llama 2 family.</summary>
    internal static void RefuseTags(IReadOnlyList<ChatMessage> messages, bool step)
    {
        for (int i = 0; i < messages.Count; i++)
        {
            foreach (string tag in Tags)
                RefuseTag(messages[i], i, tag);
            if (step)
                RefuseTag(messages[i], i, "<step>");
        }
    }

    /// <inheritdoc/>
    internal override bool Fits(Tokenizer tokenizer) => tokenizer.BosId is not null && tokenizer.EosId is not null;

    /// <inheritdoc/>
    private protected override void Write(IReadOnlyList<ChatMessage> messages, int from, bool addGenerationPrompt, List<ChatPiece> pieces)
    {
        RefuseTags(messages, _refusesStep);
        int first = messages[0].Role == ChatRole.System ? 1 : 0;
        for (int i = first; i < messages.Count; i++)
        {
            ChatRole expected = (i - first) % 2 == 0 ? ChatRole.User : ChatRole.Assistant;
            if (messages[i].Role != expected)
                throw Refuse(RoleName(expected), messages, i);
        }

        if (first == messages.Count || (addGenerationPrompt && messages[^1].Role != ChatRole.User))
            throw Refuse("user", messages, messages.Count);

        for (int i = Math.Max(from, first); i < messages.Count; i += 2)
        {
            string content = messages[i].Content;
            if (i == 1 && first == 1)
                content = "<<SYS>>\n" + messages[0].Content + "\n<</SYS>>\n\n" + content;
            string user = "[INST] " + PythonText.Strip(content) + " [/INST]";
            pieces.Add(Bos);
            if (i + 1 < messages.Count)
            {
                // The space before the end is part of the format: a pair is tokenised as one text.
                pieces.Add(ChatPiece.Of(user + " " + PythonText.Strip(messages[i + 1].Content) + " "));
                pieces.Add(Eos);
            }
            else
            {
                pieces.Add(ChatPiece.Of(user));
            }
        }
    }

    private static void RefuseTag(ChatMessage message, int index, string tag)
    {
        if (message.Content.Contains(tag, StringComparison.Ordinal))
            throw new PunaException($"{SpecialTagsError} (message {index + 1}, {RoleName(message.Role)}: {tag})");
    }
}
