namespace Puna.Training.Data.Altiplano;

/// <summary>The reply has to be a story: enough words, enough different ones, and what was asked for in it.</summary>
/// <param name="mentions">A word or name that has to occur, or null.</param>
/// <param name="words">The fewest words.</param>
/// <param name="different">The fewest different words.</param>
public sealed class StoryCheck(string? mentions, int words = 35, int different = 25) : IReplyCheck
{
    /// <inheritdoc/>
    public string Expected => $"a story of at least {words} words, {different} of them different" + (mentions is null ? "" : $", with {mentions}");

    /// <inheritdoc/>
    public bool Accepts(string reply)
    {
        List<string> all = Words.Of(reply);
        return all.Count >= words && new HashSet<string>(all).Count >= different && (mentions is null || Words.Contains(reply.Replace("'s", "", StringComparison.Ordinal), mentions));
    }
}
