using System.Diagnostics;
using System.Globalization;
using Puna.Cli.Diagnostics;
using Puna.Cli.Generation;
using Puna.Cli.Hosting;
using Puna.Cli.Parsing;
using Puna.Models;
using Puna.Tensors;

namespace Puna.Cli.Commands;

/// <summary><c>puna bench</c>.</summary>
internal sealed class BenchCommand : Command
{
    private static readonly ModelOptions Model = new();
    private static readonly Option<long?> Prefill = Parsing.Options.OptionalInteger("prefill", "N", "Tokens of the prompt", "512, or what the context leaves", 1, 1 << 24);
    private static readonly Option<int> Decode = Parsing.Options.Integer("decode", "N", "Tokens generated after it", 64, 1, 1 << 24);
    private static readonly Option<int> BatchSize = Parsing.Options.Integer("batch", "N", "Sequences at the same time", 1, 1, 1024);
    private static readonly Option<long?> ContextTokens = Parsing.Options.OptionalInteger("context", "N", "Tokens in the cache when decoding starts; what the prompt leaves is filled without being timed", "the tokens of the prompt", 1, 1 << 24);
    private static readonly Option<int> Runs = Parsing.Options.Integer("runs", "N", "How often to measure; medians are shown", 3, 1, 1000);
    private static readonly Option<bool> Json = CommonOptions.Json();

    /// <inheritdoc/>
    public override string Name => "bench";

    /// <inheritdoc/>
    public override string Summary => "measure how fast a model runs here";

    /// <inheritdoc/>
    public override string Description =>
        "Reads a prompt of random tokens (prefill), then generates tokens one after the other (decode), after a short warm-up; several times, and shows "
        + "the medians. Rates count the tokens of all sequences. The time to the first token is that of the prefill. Decoding reads all weights per step, so the "
        + "read bandwidth of the memory, which is measured too, divided by the bytes of the weights bounds its rate. The peak of the multiply-add units, measured "
        + "too, bounds a prefill that computes in float32.";

    /// <inheritdoc/>
    public override IReadOnlyList<OptionGroup> Groups => [Model.Group, new("Measurement", Prefill, Decode, BatchSize, ContextTokens, Runs, Json)];

    /// <inheritdoc/>
    public override IReadOnlyList<Example> Examples =>
    [
        new("puna bench", "The embedded model"),
        new("puna bench --model llama.gguf --prefill 512 --decode 64 --batch 4 --json", "Four sequences at once, for programs"),
        new("puna bench --model llama.gguf --prefill 64 --context 4096", "How fast a long text is continued"),
    ];

    /// <inheritdoc/>
    public override int Execute(CommandContext context)
    {
        BenchResult result = Measure(context);
        if (context.Args.Get(Json))
        {
            result.WriteJson(context.Out);
        }
        else
        {
            result.WriteText(context.Out);
        }

        return ExitCodes.Done;
    }

    private static BenchResult Measure(CommandContext context)
    {
        int decode = context.Args.Get(Decode);
        int sequences = context.Args.Get(BatchSize);
        BenchResult result;
        using (OpenedModel opened = OpenedModel.Open(context, Model, withTokenizer: false))
        {
            (int prefill, int before) = Lengths(context, opened, decode);
            var loop = new BenchLoop(opened, sequences, context.Token);
            loop.WarmUp(prefill);
            var runs = new (TimeSpan Prefill, TimeSpan Decode)[context.Args.Get(Runs)];
            for (int i = 0; i < runs.Length; i++)
            {
                runs[i] = loop.Run(prefill, before, decode);
            }

            using var process = Process.GetCurrentProcess();
            long peak = Math.Max(process.PeakWorkingSet64, process.WorkingSet64); // some systems keep no peak
            result = new BenchResult(
                prefill, decode, before, sequences, opened.LoadTime, runs, peak, loop.WeightBytes, loop.FlopsPerToken,
                0, 0, opened.Ops.Threads, opened.Ops.Path.ToString().ToLowerInvariant());
        }

        // Behind the model: what is read and computed here must not count to the memory that the model takes, nor share the cores with its threads.
        return result with
        {
            ReadBandwidth = MemoryBandwidth.Measure(result.Threads, context.Token),
            FmaPeak = MultiplyAddPeak.Measure(result.Threads, context.Token),
        };
    }

    /// <summary>Tokens of the prompt, and tokens in the cache when decoding starts.</summary>
    /// <exception cref="PunaException">The model cannot do that.</exception>
    private static (int Prefill, int Before) Lengths(CommandContext context, OpenedModel opened, int decode)
    {
        LlamaConfig config = opened.Llama.Config;
        if (config.Labels > 0)
        {
            throw new PunaException($"model {opened.Name}: expected a language model, got a classifier");
        }

        const long UsualPrefill = 512;
        long? before = context.Args.Get(ContextTokens);
        long prefill = context.Args.Get(Prefill) ?? Math.Clamp(Math.Min(before ?? UsualPrefill, config.ContextLength - decode), 1, UsualPrefill);
        before ??= prefill;
        if (before < prefill)
        {
            throw new PunaException($"option --context: expected at least the {prefill} tokens of the prompt, got {before}");
        }

        if (before + decode > config.ContextLength)
        {
            throw new PunaException($"context of {opened.Name}: expected at most {config.ContextLength} tokens, got {before} before decoding and {decode} to generate");
        }

        return ((int)prefill, (int)before);
    }
}
