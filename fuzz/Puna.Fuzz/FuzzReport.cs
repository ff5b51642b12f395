using System.Globalization;

namespace Puna.Fuzz;

/// <summary>The result of a run over one target.</summary>
/// <param name="Target">Name of the target.</param>
/// <param name="Seed">Seed of the run.</param>
/// <param name="Inputs">Mutated inputs that were run.</param>
/// <param name="Accepted">How many of them were parsed without complaint: damage that is none, or that nobody can see.</param>
/// <param name="LargestAllocation">The most bytes that one input made the parser allocate, managed and native.</param>
/// <param name="Elapsed">Time of the whole run.</param>
/// <param name="Finding">The first finding, at which the run ended, or null.</param>
public sealed record FuzzReport(string Target, long Seed, long Inputs, long Accepted, long LargestAllocation, TimeSpan Elapsed, FuzzFinding? Finding)
{
    /// <summary>One line.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Target}: {Inputs} inputs, {Accepted} accepted, {Inputs - Accepted} refused, "
        + $"largest allocation {LargestAllocation / 1024} KiB, {Elapsed.TotalSeconds:F1} s: {(Finding is null ? "ok" : "FINDING")}");
}
