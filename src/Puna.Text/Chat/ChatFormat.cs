using System.Text;
using Puna.Tensors;

namespace Puna.Text.Chat;

/// <summary>
/// How a conversation is laid out for an instruction model (spec llama1-3.md 6). Messages become ids piece by piece: control tokens are put in as
/// ids, and the text of messages is tokenised without special tokens, so that nothing a user types can end a turn or start another. Immutable and
/// thread-safe.
/// </summary>
/// <remarks>
/// The ids are a function of the messages. A conversation that goes on is encoded anew each turn, and a cache keeps the longest common prefix; or
/// the turn alone is encoded by <see cref="EncodeNext"/> and appended to the ids at hand.
/// </remarks>
public abstract class ChatFormat
{
    private ChatFormat? _forTools;

    private protected ChatFormat(string name) => Name = name;

    /// <summary>A short name for messages, for example <c>Llama 3.1</c>.</summary>
    public string Name { get; }

    /// <summary>How conversations with tools are laid out: another format where the model has a template of its own for them, otherwise this one.</summary>
    public ChatFormat ForTools => _forTools ?? this;

    /// <summary>Whether <see cref="ChatMessage.Context"/> has a place in this format.</summary>
    private protected virtual bool HasContext => false;

    /// <summary>Whether <see cref="ChatMessage.Images"/> have a place in this format.</summary>
    private protected virtual bool HasImages => false;

    /// <summary>Whether the answer of a tool has a role of its own in this format.</summary>
    private protected virtual bool HasToolRole => true;

    /// <summary>The ids of a conversation with tools.</summary>
    /// <param name="prompt">The conversation.</param>
    /// <param name="tokenizer">The model's.</param>
    /// <exception cref="PunaException">The format does not allow such a conversation, a tool or a call is no JSON, or the tokenizer lacks a control token.</exception>
    public int[] Encode(ChatPrompt prompt, Tokenizer tokenizer)
    {
        ChatFormat format = For(prompt);
        return format.ToIds(format.Pieces(prompt), tokenizer);
    }

    /// <summary>The ids of a conversation.</summary>
    /// <param name="messages">At least one.</param>
    /// <param name="tokenizer">The model's.</param>
    /// <param name="addGenerationPrompt">Whether the assistant's reply is to follow.</param>
    /// <exception cref="PunaException">The format does not allow such a conversation, or the tokenizer lacks a control token.</exception>
    public int[] Encode(IReadOnlyList<ChatMessage> messages, Tokenizer tokenizer, bool addGenerationPrompt = true) =>
        Encode(new ChatPrompt { Messages = messages, AddGenerationPrompt = addGenerationPrompt }, tokenizer);

    /// <summary>The ids that continue a conversation after the token that ended the assistant's last reply.</summary>
    /// <param name="messages">The whole conversation.</param>
    /// <param name="known">How many of its messages are encoded already; the last of these is a reply of the assistant.</param>
    /// <param name="tokenizer">The model's.</param>
    /// <param name="addGenerationPrompt">Whether the assistant's reply is to follow.</param>
    /// <exception cref="PunaException">As for <see cref="Encode(ChatPrompt, Tokenizer)"/>.</exception>
    public int[] EncodeNext(IReadOnlyList<ChatMessage> messages, int known, Tokenizer tokenizer, bool addGenerationPrompt = true)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(known, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(known, messages.Count);
        if (messages[known - 1].Role != ChatRole.Assistant)
            throw new ArgumentException("the last message known must be the assistant's", nameof(known));
        return ToIds(Pieces(messages, known, addGenerationPrompt), tokenizer);
    }

    /// <summary>The conversation as text, control tokens by their names: for display, never to be tokenised.</summary>
    /// <param name="messages">At least one.</param>
    /// <param name="addGenerationPrompt">Whether the assistant's reply is to follow.</param>
    /// <exception cref="PunaException">The format does not allow such a conversation.</exception>
    public string Render(IReadOnlyList<ChatMessage> messages, bool addGenerationPrompt = true) => Render(new ChatPrompt { Messages = messages, AddGenerationPrompt = addGenerationPrompt });

    /// <summary>A conversation with tools as text, control tokens by their names: for display, never to be tokenised.</summary>
    /// <param name="prompt">The conversation.</param>
    /// <exception cref="PunaException">As for <see cref="Encode(ChatPrompt, Tokenizer)"/>.</exception>
    public string Render(ChatPrompt prompt)
    {
        var text = new StringBuilder();
        foreach (ChatPiece piece in For(prompt).Pieces(prompt))
            text.Append(piece.Text);
        return text.ToString();
    }

    /// <summary>The ids that end the assistant's reply, ascending: those of the format, and those the tokenizer names.</summary>
    /// <param name="tokenizer">The model's.</param>
    public IReadOnlyList<int> StopIds(Tokenizer tokenizer)
    {
        var ids = new SortedSet<int>(tokenizer.StopIds);
        foreach (ChatPiece stop in Stops.Concat(_forTools?.Stops ?? []))
        {
            if (Find(stop, tokenizer) is int id)
                ids.Add(id);
        }

        return [.. ids];
    }

    /// <summary>The same format, with another for conversations with tools.</summary>
    /// <param name="format">The other.</param>
    internal ChatFormat With(ChatFormat format)
    {
        var both = (ChatFormat)MemberwiseClone();
        both._forTools = format;
        return both;
    }

    /// <summary>The tokens that end a reply; those the tokenizer lacks are passed over.</summary>
    private protected abstract IReadOnlyList<ChatPiece> Stops { get; }

    /// <summary>Whether the tokenizer has the control tokens of this format.</summary>
    internal abstract bool Fits(Tokenizer tokenizer);

    /// <summary>Lays out the messages from one on, as they follow the end of the reply before it; checks the whole conversation.</summary>
    private protected abstract void Write(IReadOnlyList<ChatMessage> messages, int from, bool addGenerationPrompt, List<ChatPiece> pieces);

    /// <summary>Lays out a conversation with tools, calls or variables; where a format has no way of its own, tools are told in the system message.</summary>
    private protected virtual void WriteTools(ChatPrompt prompt, List<ChatPiece> pieces) =>
        Write(ToolFolding.Fold(prompt, HasToolRole), 0, prompt.AddGenerationPrompt, pieces);

    /// <summary>An error that names the format and a message, counted from 1.</summary>
    private protected PunaException Refuse(string expected, IReadOnlyList<ChatMessage> messages, int index)
    {
        string got = index < messages.Count ? RoleName(messages[index].Role) : "none";
        return new PunaException($"message {index + 1}: expected {expected}, got {got} ({Name} chat format)");
    }

    /// <summary>The role as formats write it.</summary>
    private protected static string RoleName(ChatRole role) => role switch
    {
        ChatRole.System => "system",
        ChatRole.User => "user",
        ChatRole.Assistant => "assistant",
        _ => "tool",
    };

    private static int? Find(ChatPiece control, Tokenizer tokenizer) => control.Kind switch
    {
        ChatPieceKind.Bos => tokenizer.BosId,
        ChatPieceKind.Eos => tokenizer.EosId,
        _ => ImageTokens.Id(control.Text, tokenizer),
    };

    private ChatFormat For(ChatPrompt prompt) => prompt.Tools.Count > 0 ? ForTools : this;

    private List<ChatPiece> Pieces(ChatPrompt prompt)
    {
        if (prompt.Messages.Count == 0 || !prompt.HasTools)
            return Pieces(prompt.Messages, 0, prompt.AddGenerationPrompt);
        CheckMessages(prompt.Messages);
        var pieces = new List<ChatPiece>();
        WriteTools(prompt, pieces);
        return pieces;
    }

    private List<ChatPiece> Pieces(IReadOnlyList<ChatMessage> messages, int from, bool addGenerationPrompt)
    {
        if (messages.Count == 0)
            throw new PunaException($"messages: expected at least one, got none ({Name} chat format)");
        CheckMessages(messages);
        var pieces = new List<ChatPiece>();
        Write(messages, from, addGenerationPrompt, pieces);
        return pieces;
    }

    private void CheckMessages(IReadOnlyList<ChatMessage> messages)
    {
        for (int i = 0; i < messages.Count; i++)
        {
            if (messages[i].Context is not null && (!HasContext || messages[i].Role != ChatRole.User))
                throw new PunaException($"message {i + 1}: expected no context, got some ({Name} chat format)");
            CheckImages(messages[i], i);
        }
    }

    private void CheckImages(ChatMessage message, int index)
    {
        if (message.Images.Count > 0 && (!HasImages || message.Role != ChatRole.User))
            throw new PunaException($"message {index + 1}: expected no images{(HasImages ? " but in a user's message" : "")}, got {message.Images.Count} ({Name} chat format)");
        int at = 0;
        foreach (ChatImage image in message.Images)
        {
            if (image.At < at || image.At > message.Content.Length || image.Rows < 1 || image.Columns < 1 || image.PatchesPerTile < 1)
                throw new PunaException($"message {index + 1}: expected images of at least one tile and in the order of their places in the text, got {image} ({Name} chat format)");
            at = image.At;
        }
    }

    private int[] ToIds(List<ChatPiece> pieces, Tokenizer tokenizer)
    {
        var ids = new List<int>();
        foreach (ChatPiece piece in pieces)
        {
            if (piece.Kind == ChatPieceKind.Text)
                tokenizer.Encode(piece.Text, ids, SpecialTokens.None);
            else
                ids.Add(Find(piece, tokenizer) ?? throw new PunaException($"tokenizer: expected a token {piece.Text}, got none ({Name} chat format)"));
        }

        return [.. ids];
    }
}
