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
    private static readonly Option<bool> Json = CommonOptions.Json();

    /// <inheritdoc/>
    public override string Name => "bench";

    /// <inheritdoc/>
    public override string Summary => "measure how fast a model runs here";

    /// <inheritdoc/>
    public override string Description =>
        "Reads a prompt of random tokens (prefill), then generates tokens one after the other (decode), after a short warm-up. Rates count the tokens of all "
        + "sequences. The time to the first token is that of the prefill. Decoding reads all weights per step, so the read bandwidth of the memory, which is "
        + "measured too, divided by the bytes of the weights bounds its rate.";

    /// <inheritdoc/>
    public override IReadOnlyList<OptionGroup> Groups => [Model.Group, new("Measurement", Prefill, Decode, BatchSize, Json)];

    /// <inheritdoc/>
    public override IReadOnlyList<Example> Examples =>
    [
        new("puna bench", "The embedded model"),
        new("puna bench --model llama.gguf --prefill 512 --decode 64 --batch 4 --json", "Four sequences at once, for programs"),
    ];

    /// <inheritdoc/>
    public override int Execute(CommandContext context)
    {
        int decode = context.Args.Get(Decode);
        int sequences = context.Args.Get(BatchSize);
        using OpenedModel opened = OpenedModel.Open(context, Model, withTokenizer: false);
        Llama llama = opened.Llama;
        if (llama.Config.Labels > 0)
        {
            throw new PunaException($"model {opened.Name}: expected a language model, got a classifier");
        }

        const long UsualPrefill = 512;
        int prefill = (int)(context.Args.Get(Prefill) ?? Math.Clamp(llama.Config.ContextLength - decode, 1, UsualPrefill));
        if ((long)prefill + decode > llama.Config.ContextLength)
        {
            throw new PunaException($"context of {opened.Name}: expected at most {llama.Config.ContextLength} tokens, got {prefill} of the prompt and {decode} to generate");
        }

        var loop = new BenchLoop(opened, sequences, context.Token);
        loop.WarmUp(prefill);
        (TimeSpan prefillTime, TimeSpan decodeTime) = loop.Run(prefill, decode);
        using var process = Process.GetCurrentProcess();
        long peak = Math.Max(process.PeakWorkingSet64, process.WorkingSet64); // some systems keep no peak

        // Only now: the buffer that is read must not count to the memory that the model takes, and a peak does not fall.
        double bandwidth = MemoryBandwidth.Measure(opened.Ops.Threads, context.Token);
        var result = new BenchResult(
            prefill, decode, sequences, opened.LoadTime, prefillTime, decodeTime, peak, loop.WeightBytes,
            bandwidth, opened.Ops.Threads, opened.Ops.Path.ToString().ToLowerInvariant());
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
}
