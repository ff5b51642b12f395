using Puna.Runtime.Filtering;
using Puna.Text.Chat;

namespace Puna.Runtime.Chat;

/// <summary>A filter that any number of threads may ask: one after the other.</summary>
/// <param name="filter">The filter.</param>
internal sealed class FilterGate(IContentFilter filter)
{
    private readonly Lock _turn = new();

    /// <summary>As <see cref="IContentFilter.Check"/>.</summary>
    public ContentVerdict Check(IReadOnlyList<ChatMessage> conversation, CancellationToken cancel)
    {
        lock (_turn)
        {
            return filter.Check(conversation, cancel);
        }
    }
}
