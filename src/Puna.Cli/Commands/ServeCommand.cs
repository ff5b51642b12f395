using Puna.Cli.Generation;
using Puna.Cli.Hosting;
using Puna.Cli.Parsing;
using Puna.Runtime.Generation;
using Puna.Runtime.Serving;
using Puna.Server;
using Puna.Tensors;

namespace Puna.Cli.Commands;

/// <summary><c>puna serve</c>.</summary>
internal sealed class ServeCommand : Command
{
    /// <summary>The environment variable that may hold a key.</summary>
    private const string KeyVariable = "PUNA_API_KEY";

    private static readonly EngineOptions Standard = new();
    private static readonly ModelOptions Model = new(serves: true);
    private static readonly Option<string?> Host = Parsing.Options.Text("host", "ADDRESS", "The address to listen on; one that other machines reach needs a key");
    private static readonly Option<int> Port = Parsing.Options.Integer("port", "N", "The port; 0 takes any free one", 8080, 0, 65535);
    private static readonly Option<string?> Key = Parsing.Options.Text("api-key", "K", $"A key that requests must bring; also in {KeyVariable}", repeatable: true);
    private static readonly Option<string?> KeyFile = Parsing.Options.Path("api-key-file", "F", "A file with a key per line", ValueHint.File);
    private static readonly Option<bool> Insecure = Parsing.Options.Flag("insecure", "Listen without a key on an address that other machines reach");
    private static readonly Option<string?> AllowedHost = Parsing.Options.Text("allow-host", "NAME", "Another name by which a server without a key may be called", repeatable: true);
    private static readonly Option<string?> AllowedOrigin = Parsing.Options.Text("allow-origin", "ORIGIN", "A site whose pages may use the server, like https://chat.example", repeatable: true);
    private static readonly Option<int> Parallel = Parsing.Options.Integer("parallel", "N", "Most texts that are generated together", Standard.MaxSequences, 1, 1024);
    private static readonly Option<double> Slowdown = Parsing.Options.Number("slowdown", "X", "How many times longer than alone a token may take because of other texts, from 1.5; 0 for no bound", Standard.Slowdown, 0, 1000);
    private static readonly Option<int> Queue = Parsing.Options.Integer("queue", "N", "Most requests that wait", Standard.QueueLimit, 1, 1 << 20);
    private static readonly Option<int> PerKey = Parsing.Options.Integer("per-key", "N", "Most requests of one key that wait or run", Standard.KeyLimit, 1, 1 << 20);
    private static readonly Option<long?> Cache = Parsing.Options.Size("cache-memory", "BYTES", "Memory for keys and values", "what the texts need, at most a quarter of the machine's");
    private static readonly Option<bool> NoPrefix = Parsing.Options.Flag("no-prefix-cache", "Compute every prompt from its beginning, also where another began alike");
    private static readonly Option<int> Guess = Parsing.Options.Integer("guess", "N", "Most tokens to guess ahead from what the text said before", 0, 0, 16);
    private static readonly Option<string?> Draft = Parsing.Options.Path("draft", "M", "A small model with the same vocabulary that guesses tokens ahead", ValueHint.File);
    private static readonly Option<string?> Metrics = Parsing.Options.Text("metrics-prefix", "NAME", "What names of metrics begin with, instead of vllm");
    private static readonly Option<string?> Otlp = Parsing.Options.Text("otlp", "URL", "Where to send traces and metrics (OpenTelemetry), instead of where OTEL_EXPORTER_OTLP_ENDPOINT says");
    private static readonly Option<int> Stall = Parsing.Options.Integer("stall", "SECONDS", "How long one step may take before the requests under way fail and /health is not well", (int)Standard.StallTimeout.TotalSeconds, 1, 86_400);
    private static readonly Option<int> Drain = Parsing.Options.Integer("drain", "SECONDS", "How long requests may go on when the server is told to end", 15, 0, 3600);

    /// <inheritdoc/>
    public override string Name => "serve";

    /// <inheritdoc/>
    public override string Summary => "answer requests over HTTP";

    /// <inheritdoc/>
    public override string Description =>
        "Serves a model to many at once, through the APIs of OpenAI (/v1/chat/completions, completions, responses, embeddings, models), Anthropic (/v1/messages) and Ollama (/api/chat, "
        + "generate, embed, tags), with a page to chat in at /, health at /health and metrics at /metrics. Ctrl-C or SIGTERM ends it when the requests that have begun are answered.\n\n"
        + "Without a key it listens on this machine only. With one, everything but / and /health needs it: Authorization: Bearer KEY or x-api-key: KEY.";

    /// <inheritdoc/>
    public override IReadOnlyList<OptionGroup> Groups =>
    [
        Model.Group,
        new("Address and access", Host, Port, Key, KeyFile, Insecure, AllowedHost, AllowedOrigin),
        new("Engine", Parallel, Slowdown, Queue, PerKey, Cache, NoPrefix, Guess, Draft),
        new("Operation", Metrics, Otlp, Stall, Drain),
    ];

    /// <inheritdoc/>
    public override IReadOnlyList<Example> Examples =>
    [
        new("puna serve", "The embedded model, at http://127.0.0.1:8080"),
        new("puna serve --model llama/ --adapter sql=sql-lora/ --adapter poems=poems-lora/", "One model and two adapters, each for the requests that name it"),
        new("puna serve --model llama.gguf --host 0.0.0.0 --api-key-file keys.txt", "To other machines"),
    ];

    /// <inheritdoc/>
    public override int Execute(CommandContext context)
    {
        ParsedArguments args = context.Args;
        var options = new PunaServerOptions
        {
            Host = args.Get(Host) ?? "127.0.0.1",
            Port = args.Get(Port),
            ApiKeys = Keys(args),
            IsInsecure = args.Get(Insecure),
            AllowedHosts = args.GetAll(AllowedHost),
            AllowedOrigins = args.GetAll(AllowedOrigin),
            MetricsPrefix = args.Get(Metrics) ?? "vllm",
            OtlpEndpoint = args.Get(Otlp),
            DrainTimeout = TimeSpan.FromSeconds(args.Get(Drain)),
        };
        PunaServer.Check(options);
        using OpenedModel opened = OpenedModel.Open(context, Model, withTokenizer: true);
        opened.RequireTokenizer();
        using LanguageModel? draft = args.Get(Draft) is { } path ? LanguageModel.Open(path, map: true, opened.Ops) : null;
        Engine engine = Engine.Start(
            opened.Language,
            opened.Ops,
            new EngineOptions
            {
                MaxSequences = args.Get(Parallel),
                Slowdown = args.Get(Slowdown),
                QueueLimit = args.Get(Queue),
                KeyLimit = args.Get(PerKey),
                CacheBytes = args.Get(Cache),
                CacheType = opened.CacheType,
                PrefixCache = !args.Get(NoPrefix),
                GuessTokens = args.Get(Guess),
                StallTimeout = TimeSpan.FromSeconds(args.Get(Stall)),
            },
            draft: draft);
        ServeAsync(context, options, opened, engine).GetAwaiter().GetResult();
        return ExitCodes.Done;
    }

    private static async Task ServeAsync(CommandContext context, PunaServerOptions options, OpenedModel opened, Engine engine)
    {
        await using (engine)
        {
            long bytes = opened.Checkpoint.File.Tensors.Sum(static t => t.ByteLength);
            await using PunaServer server = PunaServer.Create(options, new ServedModel(opened.Name, engine, opened.Name == "default" ? [] : ["default"], bytes: bytes, adapters: opened.Adapters));
            await server.StartAsync(context.Token);
            await context.Out.WriteLineAsync($"puna serves {opened.Name} at {server.Address}");
            await context.Out.FlushAsync();
            var ended = new TaskCompletionSource();
            using CancellationTokenRegistration registration = context.Token.Register(ended.SetResult);
            await ended.Task;
            await server.StopAsync();
        }
    }

    private static string[] Keys(ParsedArguments args)
    {
        List<string> keys = [.. args.GetAll(Key)];
        if (args.Get(KeyFile) is { } file)
        {
            string[] lines = [.. TextLines.ReadAll(file).Split('\n').Select(static line => line.Trim('\r', ' ', '\t')).Where(static line => line.Length > 0)];

            // Whoever names a file wants keys asked for: without one, everybody would be let in.
            keys.AddRange(lines.Length > 0 ? lines : throw new UsageException($"option --api-key-file: expected a key in {file}, got none"));
        }

        if (Environment.GetEnvironmentVariable(KeyVariable) is { Length: > 0 } variable)
        {
            keys.Add(variable);
        }

        return keys.TrueForAll(static k => k.Length > 0) ? [.. keys] : throw new UsageException("option --api-key: expected a key, got an empty one");
    }
}
