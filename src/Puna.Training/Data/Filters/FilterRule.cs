namespace Puna.Training.Data;

/// <summary>A text whose measure is outside the bounds is dropped, for the reason that the code names.</summary>
/// <param name="Code">The reason, as it is counted.</param>
/// <param name="Measure">What is measured.</param>
/// <param name="Min">Least value that passes, or null.</param>
/// <param name="Max">Greatest value that passes, or null.</param>
public sealed record FilterRule(string Code, TextMeasure Measure, double? Min = null, double? Max = null)
{
    /// <summary>Whether a text with this value passes.</summary>
    public bool Passes(double value) => !(value < Min) && !(value > Max);
}
