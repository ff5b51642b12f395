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
}
