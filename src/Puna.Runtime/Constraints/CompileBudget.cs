using Puna.Tensors;
using System.Diagnostics;

namespace Puna.Runtime.Constraints;

/// <summary>Counts what one compilation has cost and ends it beyond the limits.</summary>
internal sealed class CompileBudget(ConstraintLimits limits, CancellationToken cancellation)
{
    private readonly long _started = Stopwatch.GetTimestamp();
    private int _ticks;

    public ConstraintLimits Limits { get; } = limits;

    /// <summary>Called once per unit of work; looks at the clock every 256 calls.</summary>
    public void Tick(string where)
    {
        if ((++_ticks & 255) == 0)
        {
            cancellation.ThrowIfCancellationRequested();
            if (Stopwatch.GetElapsedTime(_started) > Limits.MaxCompileTime)
            {
                throw Error("time to compile", $"at most {Limits.MaxCompileTime.TotalSeconds} s", "more", where);
            }
        }
    }

    public void States(int count, string where)
    {
        Tick(where);
        if (count > Limits.MaxStates)
        {
            throw Error("automaton", $"at most {Limits.MaxStates} states", "more", where);
        }
    }

    public static PunaException Error(string what, string expected, string got, string where) => new($"{what}: expected {expected}, got {got} ({where})");
}
