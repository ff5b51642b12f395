using System.Globalization;

namespace Puna.Training.Recipes.Pretraining;

/// <summary>A line of <c>log.jsonl</c>. Nothing in it depends on timing or threads, so that a run that was interrupted leaves the very bytes of one that was not.</summary>
/// <param name="Step">From 1.</param>
/// <param name="Loss">Mean negative log likelihood of the step's tokens before the update, nats; absent where it was not finite, since JSON has no such numbers. So are all measures.</param>
/// <param name="GradNorm">Norm of the gradients before clipping.</param>
/// <param name="Rate">Learning rate.</param>
/// <param name="Tokens">Tokens seen so far.</param>
/// <param name="Updated">False where the gradient was not finite.</param>
/// <param name="ValidationLoss">Mean negative log likelihood of held-out tokens after the step, where it was measured.</param>
/// <param name="ValidationBitsPerByte">The same in bits per byte of text.</param>
/// <param name="ExpertLoss">Losses of routers' scores, weighted as they were added; with experts that are balanced only.</param>
/// <param name="DroppedRows">Rows that found no room at their expert, in all layers; with a capacity only.</param>
/// <param name="CaptionsRight">Share of things in held-out pictures whose kind and colour the captions had right after the step, their mean; of models that see, where it was measured.</param>
internal sealed record LogEntry(long Step, double? Loss, double? GradNorm, double Rate, long Tokens, bool? Updated, double? ValidationLoss, double? ValidationBitsPerByte,
    double? ExpertLoss = null, long? DroppedRows = null, double? CaptionsRight = null)
{
    /// <summary>The loss as people read it.</summary>
    public static string Text(double? loss, string format) => loss?.ToString(format, CultureInfo.InvariantCulture) ?? "not finite";

    /// <summary>The entry with what was not finite left out.</summary>
    public LogEntry Finite() => this with
    {
        Loss = Finite(Loss),
        GradNorm = Finite(GradNorm),
        ValidationLoss = Finite(ValidationLoss),
        ValidationBitsPerByte = Finite(ValidationBitsPerByte),
        ExpertLoss = Finite(ExpertLoss),
    };

    private static double? Finite(double? value) => value is double x && double.IsFinite(x) ? x : null;
}
