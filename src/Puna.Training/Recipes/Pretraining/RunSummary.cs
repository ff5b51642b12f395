using System.Globalization;
using System.Text;
using Puna.Models;
using Puna.Training.Core;
using Puna.Training.Exams;

namespace Puna.Training.Recipes.Pretraining;

/// <summary>What is to be said about a run when it is over.</summary>
/// <param name="Setup">Config, tokenizer, data.</param>
/// <param name="Model">The model's config.</param>
/// <param name="Log">All steps.</param>
/// <param name="Samples">All samples.</param>
/// <param name="Speed">Speed of this process, or null where it did no step.</param>
/// <param name="ExportedBytes">Size of the exported file, or null where there is none.</param>
/// <param name="Exam">Result of the exam, or null where there was none.</param>
internal sealed record RunSummary(PretrainSetup Setup, LlamaConfig Model, IReadOnlyList<LogEntry> Log, IReadOnlyList<SampleEntry> Samples, SpeedSummary? Speed, long? ExportedBytes, AltiplanoExamResult? Exam)
{
    /// <summary>The last validation, or null.</summary>
    public LogEntry? Validation => Log.LastOrDefault(static e => e.ValidationLoss is not null);

    /// <summary>A few lines for the screen.</summary>
    public string Text()
    {
        var text = new StringBuilder();
        LogEntry last = Log[^1];
        text.Append(CultureInfo.InvariantCulture, $"{Model.ParameterCount:N0} parameters, {last.Step:N0} steps, {last.Tokens:N0} tokens\n");
        text.Append(CultureInfo.InvariantCulture, $"loss {LogEntry.Text(Log[0].Loss, "F4")} -> {LogEntry.Text(last.Loss, "F4")}");
        if (Validation is LogEntry validation)
        {
            text.Append(CultureInfo.InvariantCulture, $", held-out {validation.ValidationLoss:F4} (perplexity {Math.Exp(validation.ValidationLoss!.Value):F2}");
            text.Append(validation.ValidationBitsPerByte is double bits ? string.Create(CultureInfo.InvariantCulture, $", {bits:F4} bits per byte)") : ")");
        }

        if (Speed is not null)
        {
            text.Append(CultureInfo.InvariantCulture, $"\n{Speed.TokensPerSecond:N0} tokens/s, {Speed.FlopsPerSecond / 1e9:F1} GFLOP/s: {Speed.FlopsPerSecond / Speed.Peak:P0} of the rate of a large product");
        }

        if (Exam is not null)
        {
            text.Append(CultureInfo.InvariantCulture, $"\nexam: {Exam.True} of {Exam.Answers.Count} answers true (guessing: {Exam.GuessedTrue}), {Exam.Grammatical:P1} of sentences without a fault of form");
        }

        return text.ToString();
    }

    /// <summary>The model card: what the model is, how it was made, what was measured.</summary>
    public string Card()
    {
        PretrainConfig config = Setup.Config;
        LogEntry last = Log[^1];
        var card = new StringBuilder();
        card.Append(CultureInfo.InvariantCulture, $"# {config.Name}\n\nA Llama of {Model.ParameterCount:N0} parameters, trained by `puna train pretrain`.\n\n");
        card.Append("| | |\n| --- | --- |\n");
        Row("shape", $"{Model.Layers} blocks, hidden {Model.Hidden}, feed-forward {Model.Ffn}, {Model.Heads} heads of {Model.HeadDim}, {Model.KvHeads} key-value heads");
        Row("vocabulary", $"{Model.Vocab} tokens{(Model.TiedEmbeddings ? ", embedding and output layer are one" : "")}");
        Row("context", $"{Model.ContextLength} tokens, rotary base {Model.RopeTheta.ToString(CultureInfo.InvariantCulture)}");
        Row("data", string.Join("; ", Setup.Sources.Zip(config.Data, static (s, d) => string.Create(CultureInfo.InvariantCulture, $"{s.Name} (weight {d.Weight})"))));
        Row("training", string.Create(CultureInfo.InvariantCulture, $"{last.Step:N0} steps of {config.BatchRows} rows of {RowTokens()}, {last.Tokens:N0} tokens in all, seed {config.Seed}"));
        Row("optimiser", string.Create(CultureInfo.InvariantCulture, $"AdamW ({config.Optimizer.Beta1}, {config.Optimizer.Beta2}), epsilon {config.Optimizer.Epsilon}, decay {config.Optimizer.Decay}, clip {config.Clip}, rate {config.Schedule.Peak} to {config.Schedule.Floor} ({config.Rate.Kind}), {config.Rate.Warmup} steps of warm-up"));
        Row("operations", string.Create(CultureInfo.InvariantCulture, $"{Operations():E2} at most"));
        Row("loss of the first and the last step", $"{LogEntry.Text(Log[0].Loss, "F4")}, {LogEntry.Text(last.Loss, "F4")}");
        if (Validation is LogEntry validation)
        {
            Row("held-out loss", string.Create(CultureInfo.InvariantCulture, $"{validation.ValidationLoss:F4} nats per token{(validation.ValidationBitsPerByte is double bits ? $", {bits:F4} bits per byte" : "")} ({config.ValidationRows} rows)"));
        }

        if (ExportedBytes is long bytes)
        {
            Row("file", string.Create(CultureInfo.InvariantCulture, $"{config.Name}.gguf, {config.Export}, {bytes / 1e6:F2} MB"));
        }

        if (Exam is not null)
        {
            Row("true answers to questions about held-out stories", string.Create(CultureInfo.InvariantCulture, $"{Exam.True} of {Exam.Answers.Count}; guessing the commonest name or the first number: {Exam.GuessedTrue}"));
            Row("sentences of its own stories that break no rule of form", string.Create(CultureInfo.InvariantCulture, $"{Exam.Grammatical:P1} ({Exam.Stories.Count} stories from held-out beginnings, temperature 0.6; of the simulator's own sentences {Exam.GrammaticalOriginals:P1})"));
        }

        card.Append("\n![loss](loss.svg)\n");
        long step = Samples.Count == 0 ? 0 : Samples[^1].Step;
        foreach (SampleEntry sample in Samples.Where(s => s.Step == step))
        {
            card.Append(CultureInfo.InvariantCulture, $"\nContinued greedily after step {sample.Step}:\n\n> **{Quote(sample.Prompt)}**{Quote(sample.Text)}\n");
        }

        return card.ToString();

        // Later stages have rows of another length.
        string RowTokens() => string.Join(", ", config.Stages.Where(static s => s.RowTokens is not null)
            .Select(static s => string.Create(CultureInfo.InvariantCulture, $"of {s.RowTokens} from step {s.FromStep + 1} on")).Prepend(string.Create(CultureInfo.InvariantCulture, $"{config.RowTokens} tokens")));

        double Operations()
        {
            double sum = 0;
            long from = 0;
            foreach (long to in config.Stages.Select(static s => s.FromStep).Append(last.Step))
            {
                long tokens = Log[(int)to - 1].Tokens - (from == 0 ? 0 : Log[(int)from - 1].Tokens);
                sum += FlopCount.TrainingPerToken(Model, Setup.RowTokensAt(from)) * tokens;
                from = to;
            }

            return sum;
        }

        void Row(string what, string value) => card.Append(CultureInfo.InvariantCulture, $"| {what} | {value} |\n");
        static string Quote(string text) => text.ReplaceLineEndings("\n").Replace("\n", "\n> ", StringComparison.Ordinal);
    }
}
