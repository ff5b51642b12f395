using Puna.Text.Chat;

namespace Puna.Runtime.Filtering;

/// <summary>Several filters in turn: a message passes where all let it pass, and the first that does not says why.</summary>
/// <param name="filters">The filters, cheapest first.</param>
public sealed class CombinedFilter(IReadOnlyList<IContentFilter> filters) : IContentFilter
{
    /// <inheritdoc/>
    public ContentVerdict Check(IReadOnlyList<ChatMessage> conversation, CancellationToken cancel = default)
    {
        foreach (IContentFilter filter in filters)
        {
            ContentVerdict verdict = filter.Check(conversation, cancel);
            if (!verdict.IsAllowed)
            {
                return verdict;
            }
        }

        return ContentVerdict.Allowed;
    }
}
