using Puna.Text;
using Puna.Text.Chat;

namespace Puna.Cli.Generation;

/// <summary>A conversation in a model's chat format.</summary>
internal sealed class ChatConversation(ChatFormat format, Tokenizer tokenizer, string? system) : IConversation
{
    private readonly List<ChatMessage> _messages = system is null ? [] : [new ChatMessage(ChatRole.System, system)];

    /// <inheritdoc/>
    public IReadOnlyList<int>? StopIds { get; } = format.StopIds(tokenizer);

    /// <inheritdoc/>
    public bool GoesOnWithoutText => false;

    /// <inheritdoc/>
    public int[] Ask(string text)
    {
        _messages.Add(new ChatMessage(ChatRole.User, text));
        try
        {
            // All of it anew each time: the session computes only what it has not seen.
            return format.Encode(_messages, tokenizer);
        }
        catch
        {
            TakeBack();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Reply(string text, IReadOnlyList<int> tokens, bool isEnded)
    {
        if (tokens.Count == 0)
        {
            TakeBack();
        }
        else
        {
            _messages.Add(new ChatMessage(ChatRole.Assistant, text));
        }
    }

    /// <inheritdoc/>
    public void TakeBack() => _messages.RemoveAt(_messages.Count - 1);

    /// <inheritdoc/>
    public void Reset() => _messages.RemoveAll(static m => m.Role != ChatRole.System);

    /// <inheritdoc/>
    public void SetSystem(string? text)
    {
        _messages.RemoveAll(static m => m.Role == ChatRole.System);
        if (!string.IsNullOrEmpty(text))
        {
            _messages.Insert(0, new ChatMessage(ChatRole.System, text));
        }
    }
}
