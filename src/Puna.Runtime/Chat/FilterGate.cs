using Puna.Runtime.Filtering;
using Puna.Text.Chat;

namespace Puna.Runtime.Chat;

/// <summary>A filter that any number of requests may ask: one after the other, and no thread is held up by those that wait.</summary>
/// <param name="filter">The filter.</param>
internal sealed class FilterGate(IContentFilter filter)
{
    private readonly SemaphoreSlim _turn = new(1);

    /// <summary>As <see cref="IContentFilter.Check"/>, which may take long: on a thread of the pool.</summary>
    public async Task<ContentVerdict> CheckAsync(IReadOnlyList<ChatMessage> conversation, CancellationToken cancel)
    {
        await _turn.WaitAsync(cancel).ConfigureAwait(false);
        try
        {
            return await Task.Run(() => filter.Check(conversation, cancel), cancel).ConfigureAwait(false);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>What is judged before a reply. Where it has been begun for the model (the last message is the assistant's), that is what it answers, not the beginning.</summary>
    public static IReadOnlyList<ChatMessage> Asked(IReadOnlyList<ChatMessage> messages)
    {
        int count = messages.Count;
        while (count > 0 && messages[count - 1].Role == ChatRole.Assistant)
        {
            count--;
        }

        return count > 0 ? [.. messages.Take(count)] : messages;
    }

    /// <summary>What is judged after a reply; what was begun for the model is part of it.</summary>
    public static IReadOnlyList<ChatMessage> Answered(IReadOnlyList<ChatMessage> messages, ChatMessage reply) => messages is [.., { Role: ChatRole.Assistant } begun]
        ? [.. messages.SkipLast(1), reply with { Content = begun.Content + reply.Content }]
        : [.. messages, reply];
}
