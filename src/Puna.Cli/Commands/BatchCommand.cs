using System.Globalization;
using Puna.Cli.Generation;
using Puna.Cli.Hosting;
using Puna.Cli.Parsing;
using Puna.Runtime.Serving;
using Puna.Server;
using Puna.Server.Batches;
using Puna.Tensors;

namespace Puna.Cli.Commands;

/// <summary><c>puna batch</c>.</summary>
internal sealed class BatchCommand : Command
{
    private static readonly EngineOptions Standard = new();
    private static readonly ModelOptions Model = new(serves: true);
    private static readonly Option<string?> Input = Parsing.Options.Path("input", "F", "The requests, a JSON object per line; - is standard input", ValueHint.File);
    private static readonly Option<string?> Output = Parsing.Options.Path("output", "O", "Where the answers go, a line each; - is standard output. Requests that it has answers to are passed over", ValueHint.File);
    private static readonly Option<int> Parallel = Parsing.Options.Integer("parallel", "N", "Most texts that are generated together", Standard.MaxSequences, 1, 1024);
    private static readonly Option<long?> Cache = Parsing.Options.Size("cache-memory", "BYTES", "Memory for keys and values", "what the texts need, at most a quarter of the machine's");
    private static readonly Option<bool> NoPrefix = Parsing.Options.Flag("no-prefix-cache", "Compute every prompt from its beginning, also where another began alike");

    /// <inheritdoc/>
    public override string Name => "batch";

    /// <inheritdoc/>
    public override string Summary => "answer a file of requests";

    /// <inheritdoc/>
    public override string Description =>
        "Answers requests in the form of OpenAI's batches, a line each: {\"custom_id\": \"a\", \"method\": \"POST\", \"url\": \"/v1/chat/completions\", \"body\": {...}}, also to /v1/completions, "
        + "/v1/embeddings and /v1/responses. A body means what it means to puna serve. Answers are written as they come, each with the custom_id of its request; a line that is wrong gets an error and "
        + "stops nothing. Begun again after Ctrl-C or a crash, with the same input and output, it does what is missing.";

    /// <inheritdoc/>
    public override IReadOnlyList<OptionGroup> Groups => [Model.Group, new("Input and output", Input, Output), new("Engine", Parallel, Cache, NoPrefix)];

    /// <inheritdoc/>
    public override IReadOnlyList<Example> Examples => [new("puna batch --model llama.gguf --input requests.jsonl --output answers.jsonl", "As many at once as the engine takes")];

    /// <inheritdoc/>
    public override int Execute(CommandContext context)
    {
        ParsedArguments args = context.Args;
        string input = args.Require(Input), output = args.Require(Output);
        if (input != TextLines.StandardInput && output != TextLines.StandardInput && Path.GetFullPath(input) == Path.GetFullPath(output))
        {
            throw new UsageException("options --input and --output: expected two files, got one");
        }

        using Stream requests = Open(context, input);
        using BatchJournal journal = output == TextLines.StandardInput ? BatchJournal.To("standard output", context.Out) : BatchJournal.Open(output);
        OfflineBatch batch = OfflineBatch.Open(requests, input == TextLines.StandardInput ? "standard input" : input, journal, Flight(args), context.Token);
        if (batch.Missing > 0)
        {
            Answer(context, batch);
        }

        if (output != TextLines.StandardInput)
        {
            BatchProgress done = batch.Progress;
            string kept = done.Kept > 0 ? string.Create(CultureInfo.InvariantCulture, $", {done.Kept:N0} were answered before") : "";
            context.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{done.Requests:N0} requests: {done.Answered:N0} answered, {done.Failed:N0} with an error{kept}"));
        }

        return ExitCodes.Done;
    }

    private static void Answer(CommandContext context, OfflineBatch batch)
    {
        ParsedArguments args = context.Args;
        using OpenedModel opened = OpenedModel.Open(context, Model, withTokenizer: true);
        opened.RequireTokenizer();
        Engine engine = Engine.Start(opened.Language, opened.Ops, new EngineOptions
        {
            MaxSequences = args.Get(Parallel),
            CacheBytes = args.Get(Cache),
            CacheType = opened.CacheType,
            PrefixCache = !args.Get(NoPrefix),

            // Nobody waits for a single answer: requests take the time they take.
            QueueLimit = 1 << 20,
            KeyLimit = 1 << 20,
            QueueTimeout = TimeSpan.MaxValue,
            RequestTimeout = TimeSpan.MaxValue,
            StallTimeout = TimeSpan.MaxValue,
        });
        try
        {
            var model = new ServedModel(opened.Name, engine, opened.Name == "default" ? [] : ["default"], adapters: opened.Adapters);
            ProgressDisplay.Run(context.Terminal, ProgressUnit.Items, show => batch.RunAsync(
                model, now => show(new ProgressState("requests", now.Done, now.Requests)), context.Token).GetAwaiter().GetResult());
        }
        finally
        {
            engine.DisposeAsync().AsTask().GetAwaiter().GetResult();
        }
    }

    // Twice as many as are computed together, so that those to come are tokenized meanwhile.
    private static BatchOptions Flight(ParsedArguments args) => new() { InFlight = 2 * args.Get(Parallel) };

    private static FileStream Open(CommandContext context, string input)
    {
        try
        {
            return input == TextLines.StandardInput ? Spooled(context) : new FileStream(input, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new PunaException($"file {input}: not found", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new PunaException(Directory.Exists(input) ? $"file {input}: expected a file, got a folder" : $"file {input}: cannot be opened: {e.Message}", e);
        }
    }

    /// <summary>Standard input as a temporary file, since it is read twice and may be larger than memory.</summary>
    private static FileStream Spooled(CommandContext context)
    {
        var file = new FileStream(
            Path.Combine(Path.GetTempPath(), Path.GetRandomFileName()), FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, bufferSize: 0, FileOptions.DeleteOnClose);
        try
        {
            return context.Interrupts.WhileWaiting(
                () =>
                {
                    using Stream stream = Console.OpenStandardInput();
                    stream.CopyTo(file);
                    return file;
                },
                leave: file.Dispose);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }
}
