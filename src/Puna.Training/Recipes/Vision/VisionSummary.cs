using System.Globalization;
using System.Text;
using Puna.Training.Core;
using Puna.Training.Exams;
using Puna.Training.Recipes.Pretraining;

namespace Puna.Training.Recipes.Vision;

/// <summary>What is to be said about a run when it is over.</summary>
/// <param name="Config">Its config.</param>
/// <param name="Model">The model.</param>
/// <param name="Log">All steps.</param>
/// <param name="Exam">Result of the exam.</param>
internal sealed record VisionSummary(VisionConfig Config, TrainableModel Model, IReadOnlyList<LogEntry> Log, CaptionExamResult Exam)
{
    private long Parameters => Model.Weights.Sum(static w => w.Shape.Count);

    private long Seeing => Model.Weights.Where(static w => TrainableModel.IsOfPictures(w.Name)).Sum(static w => w.Shape.Count);

    private string Design => Config.Design == VisionDesign.CrossAttention ? "cross-attention (as Llama 3.2 Vision)" : "early fusion (as Llama 4)";

    /// <summary>A few lines for the screen.</summary>
    public string Text() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Design}: {Parameters:N0} parameters, {Seeing:N0} of them for pictures, {Log[^1].Step:N0} steps of {Config.BatchRows} pictures\nloss {LogEntry.Text(Log[0].Loss, "F4")} -> {LogEntry.Text(Log[^1].Loss, "F4")}\n\n{Exam.Table()}").TrimEnd();

    /// <summary>The model card: what the model is, how it was made, what was measured.</summary>
    public string Card()
    {
        var card = new StringBuilder();
        card.Append(CultureInfo.InvariantCulture, $"# {Config.Name}\n\nA Llama of {Parameters:N0} parameters that captions little pictures, trained by `puna train vision`: {Design}.\n\n| | |\n| --- | --- |\n");
        Row("text model", $"{Model.Config.Layers} blocks, hidden {Model.Config.Hidden}, {Model.Config.Vocab} tokens");
        Row("encoder", $"{Config.Encoder.Layers} layers, width {Config.Encoder.Hidden}, patches of {Config.Encoder.Patch} pixels; {Seeing:N0} parameters with all else that sees");
        string stages = Config.TextSteps == 0 ? "everything together" : string.Create(CultureInfo.InvariantCulture, $"{Config.TextSteps:N0} steps of text alone, then what sees, the text model frozen");
        Row("training", string.Create(CultureInfo.InvariantCulture, $"{Log[^1].Step:N0} steps of {Config.BatchRows} pictures, {stages}, seed {Config.Seed}, rate {Config.Rate.Peak}"));
        Row("loss of the first and the last step", $"{LogEntry.Text(Log[0].Loss, "F4")}, {LogEntry.Text(Log[^1].Loss, "F4")}");
        card.Append("\nCombinations of object, colour and place in the pictures of the exam were absent from training. Things are compared in reading order.\n\n");
        card.Append(Exam.Table()).Append("\n![loss](loss.svg)\n\n| picture | said |\n| --- | --- |\n");
        foreach ((string truth, string said) in Exam.Samples)
        {
            card.Append(CultureInfo.InvariantCulture, $"| {truth} | {said.ReplaceLineEndings(" ").Replace("|", "\\|", StringComparison.Ordinal)} |\n");
        }

        return card.ToString();

        void Row(string what, string value) => card.Append(CultureInfo.InvariantCulture, $"| {what} | {value} |\n");
    }
}
