namespace Puna.Safety.LlamaGuard;

/// <summary>How a Llama Guard is asked, and what its answer means.</summary>
public sealed record LlamaGuardOptions
{
    /// <summary>What to look for; null means the version's own categories.</summary>
    public IReadOnlyList<GuardCategory>? Categories { get; init; }

    /// <summary>Codes of categories that are not asked for, and do not count where the model names them all the same.</summary>
    public IReadOnlyCollection<string> Excluded { get; init; } = [];

    /// <summary>Which published form of the question.</summary>
    public LlamaGuardLayout Layout { get; init; }

    /// <summary>From which probability of <c>unsafe</c> on a message is unsafe; null lets the words decide, which is the same as one half but for ties.</summary>
    public double? Threshold { get; init; }
}
