using System.Globalization;
using System.Text;
using Puna.Formats;
using Puna.Models.Checkpoints;
using Puna.Models.Conversion;
using Puna.Models.Quantization;
using Puna.Tensors;
using Puna.Training.Plots;

namespace Puna.Training.Recipes.Pretraining;

/// <summary>Puts what a run has made where its user looks for it: <c>model/</c>, <c>log.csv</c>, <c>loss.svg</c>, <c>loss.png</c>, <c>README.md</c>.</summary>
internal static class RunResults
{
    private static readonly string[] OfTheRun = ["optimizer.safetensors", "trainer.json", "manifest.json", "COMPLETE"];

    /// <summary>Writes the files, each complete or not at all.</summary>
    /// <param name="output">Folder of the run.</param>
    /// <param name="checkpoint">Its last checkpoint.</param>
    /// <param name="name">What the model is called.</param>
    /// <param name="log">All steps.</param>
    /// <param name="card">The model card.</param>
    /// <param name="others">More files for the folder of the run, or null.</param>
    public static void Write(string output, string checkpoint, string name, IReadOnlyList<LogEntry> log, string card, IReadOnlyDictionary<string, byte[]>? others = null)
    {
        LineChart chart = Chart(name, log);
        using var files = new StagedFiles();
        string model = Path.Combine(output, "model");
        files.MakeFolder(model);
        try
        {
            foreach (string file in Directory.EnumerateFiles(checkpoint).Where(static f => !OfTheRun.Contains(Path.GetFileName(f))))
            {
                using FileStream source = File.OpenRead(file);
                source.CopyTo(files.Create(Path.Combine(model, Path.GetFileName(file))));
            }

            files.Create(Path.Combine(output, "log.csv")).Write(Encoding.UTF8.GetBytes(Csv(log)));
            files.Create(Path.Combine(output, "loss.svg")).Write(chart.ToSvg());
            files.Create(Path.Combine(output, "loss.png")).Write(chart.ToPng());
            files.Create(Path.Combine(output, "README.md")).Write(Encoding.UTF8.GetBytes(card));
            foreach ((string file, byte[] content) in others ?? new Dictionary<string, byte[]>())
            {
                files.Create(Path.Combine(output, file)).Write(content);
            }

            files.Commit();
        }
        catch (IOException e)
        {
            throw new PunaException($"folder {output}: cannot be written: {e.Message}", e);
        }
    }

    /// <summary>Makes a GGUF file of a checkpoint.</summary>
    /// <param name="checkpoint">Its folder.</param>
    /// <param name="path">The file.</param>
    /// <param name="name">The model's name in its metadata.</param>
    /// <param name="type">Type of its weights.</param>
    /// <param name="threads">Threads that quantise.</param>
    public static void Export(string checkpoint, string path, string name, string type, int threads)
    {
        FileTypes.TryParse(type, out FileType fileType);
        using Checkpoint source = Checkpoint.Open(checkpoint);
        CheckpointConverter.Convert(source, path, new ConversionOptions { Format = CheckpointFormat.Gguf, Type = fileType, Name = name, Threads = threads });
    }

    private static LineChart Chart(string name, IReadOnlyList<LogEntry> log)
    {
        var chart = new LineChart(name, "step", "loss (nats per token)")
            .Add(new ChartSeries("training", [.. log.Where(static e => e.Loss is not null).Select(static e => new ChartPoint(e.Step, e.Loss!.Value))]));
        ChartPoint[] heldOut = [.. log.Where(static e => e.ValidationLoss is not null).Select(static e => new ChartPoint(e.Step, e.ValidationLoss!.Value))];
        return heldOut.Length == 0 ? chart : chart.Add(new ChartSeries("held out", heldOut));
    }

    private static string Csv(IReadOnlyList<LogEntry> log)
    {
        bool hasCaptions = log.Any(static e => e.CaptionsRight is not null);
        var text = new StringBuilder("step,loss,grad_norm,rate,tokens,validation_loss,validation_bits_per_byte").Append(hasCaptions ? ",captions_right\n" : "\n");
        foreach (LogEntry e in log)
        {
            text.Append(CultureInfo.InvariantCulture, $"{e.Step},{e.Loss:R},{e.GradNorm:R},{e.Rate:R},{e.Tokens},{e.ValidationLoss:R},{e.ValidationBitsPerByte:R}");
            text.Append(hasCaptions ? string.Create(CultureInfo.InvariantCulture, $",{e.CaptionsRight:R}\n") : "\n");
        }

        return text.ToString();
    }
}
