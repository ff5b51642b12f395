namespace Puna.Runtime.Filtering;

/// <summary>What a filter says of a message.</summary>
/// <param name="IsAllowed">Whether it may pass.</param>
/// <param name="Reason">Why not, in a few words; null where it may.</param>
/// <param name="Categories">What it violates, in the filter's own terms.</param>
/// <param name="Score">How sure the filter is that it violates something, from 0 to 1; null where it does not say.</param>
public sealed record ContentVerdict(bool IsAllowed, string? Reason, IReadOnlyList<string> Categories, double? Score = null)
{
    /// <summary>The message may pass.</summary>
    public static ContentVerdict Allowed { get; } = new(true, null, []);
}
