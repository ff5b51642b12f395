namespace Puna.Safety.PromptGuard;

/// <summary>What Prompt Guard says of a text.</summary>
/// <param name="Labels">Names of the labels.</param>
/// <param name="Probabilities">Probability of each label in the window of the greatest score.</param>
/// <param name="Windows">In how many windows the text was read.</param>
public sealed record PromptGuardResult(IReadOnlyList<string> Labels, IReadOnlyList<double> Probabilities, int Windows)
{
    // Version 1: benign, injection, jailbreak. Version 2: benign, malicious.
    private const int LabelsOfVersion1 = 3;

    /// <summary>Probability that a user's own text tries to break the rules: of the last label (spec llama1-3.md 1.5).</summary>
    public double Jailbreak => Probabilities[^1];

    /// <summary>Probability that a text from elsewhere (a web page, a tool's answer) carries instructions: of injection or jailbreak in version 1, in version 2 the same as <see cref="Jailbreak"/>.</summary>
    public double Indirect => Probabilities.Count == LabelsOfVersion1 ? Probabilities[1] + Probabilities[2] : Jailbreak;

    /// <summary>The likeliest label.</summary>
    public string Label => Labels[Probabilities.ToList().IndexOf(Probabilities.Max())];
}
