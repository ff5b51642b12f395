using Puna.Tensors;

namespace Puna.Training.Experts;

/// <summary>How a model with experts is kept from sending everything to few of them (spec training.md 3.5). Meta published nothing of the kind for Llama 4: each of these is a choice, and off unless asked for.</summary>
public sealed record ExpertOptions
{
    /// <summary>Factor on the load-balancing loss of <see cref="RouterLosses.Balance"/>; 0.01 in the Switch Transformer.</summary>
    public double Balance { get; set; }

    /// <summary>Factor on the mean square of the logarithm of the sum of exponentials of scores (<see cref="RouterLosses.Z"/>), which keeps them small.</summary>
    public double Z { get; set; }

    /// <summary>Standard deviation of normal noise on the scores by which experts are chosen. What an expert reads is scaled by its score without noise. It is a setting, where the first paper on noisy top-k
    /// learns one per token and expert: no file format of Llama 4 has a place for that matrix.</summary>
    public double Noise { get; set; }

    /// <summary>Factor on the load loss of noisy top-k (<see cref="RouterLosses.Load"/>), which needs <see cref="Noise"/>.</summary>
    public double Load { get; set; }

    /// <summary>Rows an expert takes at most, as a multiple of its even share, rounded up; later rows of the batch go without it. None takes all.</summary>
    public double? Capacity { get; set; }

    /// <summary>Seed of the noise.</summary>
    public ulong Seed { get; set; } = 1;

    /// <summary>Whether scores have a loss of their own.</summary>
    public bool HasLoss => Balance > 0 || Z > 0 || Load > 0;

    /// <summary>Checks the numbers.</summary>
    /// <exception cref="PunaException">Names the first that does not fit.</exception>
    public ExpertOptions Validate(string path)
    {
        foreach ((string name, double value) in new[] { ("balance", Balance), ("z", Z), ("noise", Noise), ("load", Load) })
        {
            Require(double.IsFinite(value) && value >= 0, FormattableString.Invariant($"experts.{name}: expected a number of at least 0, got {value}"));
        }

        Require(Load == 0 || Noise > 0, "experts.load: expected 0 without noise, on which this loss rests");
        Require(Capacity is null || (double.IsFinite(Capacity.Value) && Capacity > 0), FormattableString.Invariant($"experts.capacity: expected a positive number, got {Capacity}"));
        return this;

        void Require(bool condition, string message)
        {
            if (!condition)
            {
                throw new PunaException($"{message} ({path})");
            }
        }
    }

    /// <summary>Rows an expert takes at most.</summary>
    /// <param name="tokens">Rows of the batch.</param>
    /// <param name="experts">Number of experts.</param>
    /// <param name="perToken">Experts per row.</param>
    public int CapacityOf(int tokens, int experts, int perToken) =>
        Capacity is not { } factor ? int.MaxValue : (int)Math.Min(tokens, Math.Ceiling((double)tokens * perToken / experts * factor));
}
