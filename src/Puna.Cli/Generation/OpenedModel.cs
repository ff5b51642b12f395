using System.Diagnostics;
using Puna.Cli.Commands;
using Puna.Cli.Hosting;
using Puna.Cli.Locating;
using Puna.Cli.Parsing;
using Puna.Models;
using Puna.Models.Adapters;
using Puna.Models.Checkpoints;
using Puna.Models.Packing;
using Puna.Runtime.Generation;
using Puna.Tensors;
using Puna.Text;

namespace Puna.Cli.Generation;

/// <summary>A model that is ready to compute, and what computes it.</summary>
internal sealed class OpenedModel : IDisposable
{
    private readonly LanguageModel? _language;

    private OpenedModel(ModelSource source, Checkpoint checkpoint, Llama llama, LanguageModel? language, CpuOps ops, DType? cacheType, TimeSpan loadTime)
    {
        (Name, ContinuesText, Checkpoint, Llama, _language, Ops, CacheType, LoadTime) = (source.Name, source.ContinuesText, checkpoint, llama, language, ops, cacheType, loadTime);
    }

    /// <summary>What to call it.</summary>
    public string Name { get; }

    /// <summary>Whether it continues texts that it is given, although it has a chat format.</summary>
    public bool ContinuesText { get; }

    /// <summary>Where it was loaded from.</summary>
    public Checkpoint Checkpoint { get; }

    /// <summary>Adapters beside its weights, by name.</summary>
    public IReadOnlyDictionary<string, UnmergedAdapter> Adapters { get; private init; } = new Dictionary<string, UnmergedAdapter>();

    /// <summary>The network.</summary>
    public Llama Llama { get; }

    /// <summary>The network with its tokenizer, where it was opened with it.</summary>
    public LanguageModel Language => _language ?? throw new InvalidOperationException("the model was opened without its tokenizer");

    /// <summary>What computes it.</summary>
    public CpuOps Ops { get; }

    /// <summary>Type of the cached keys and values that the options name, or null.</summary>
    public DType? CacheType { get; }

    /// <summary>How long opening took.</summary>
    public TimeSpan LoadTime { get; }

    /// <summary>The tokenizer.</summary>
    /// <exception cref="PunaException">The model has none.</exception>
    public Tokenizer RequireTokenizer() => Language.Tokenizer ?? throw new PunaException($"model {Name}: expected a tokenizer, got a model without one");

    /// <summary>Finds and opens the model that the options name.</summary>
    /// <param name="context">The command line.</param>
    /// <param name="options">The options of the command.</param>
    /// <param name="withTokenizer">Whether text is made or read; otherwise a tokenizer that is not understood is no obstacle.</param>
    /// <param name="found">The model, where it has been located already.</param>
    /// <exception cref="PunaException">There is no such model, or it cannot be run.</exception>
    public static OpenedModel Open(CommandContext context, ModelOptions options, bool withTokenizer, ModelSource? found = null)
    {
        ParsedArguments args = context.Args;
        PackCache? cache = options.PackCacheOf(context);
        ModelSource source = found ?? new ModelLocator(context).Locate(args.Get(options.Model));
        long start = Stopwatch.GetTimestamp();
        Checkpoint checkpoint = source.OpenCheckpoint(map: !args.Get(options.NoMmap));
        try
        {
            if (withTokenizer && checkpoint.Config.Labels > 0)
            {
                throw new PunaException($"model {source.Name}: expected a language model, got a classifier");
            }

            if (args.Get(options.Context) is long tokens)
            {
                int before = checkpoint.Config.ContextLength;
                checkpoint.SetContext((int)tokens);
                if (tokens > before)
                {
                    context.Terminal.Error.WriteLine($"puna: warning: context of {source.Name}: made for {before} tokens, used for {tokens}");
                }
            }

            if (options.MergedAdapter(args) is { } adapter)
            {
                checkpoint.Adapt(adapter);
            }

            if (args.Get(options.ExpertsOnDisk))
            {
                checkpoint.LeaveExperts();
            }

            var ops = new CpuOps(CommonOptions.ThreadCount(args.Get(options.Threads)));
            var adapters = options.NamedAdapters(args).ToDictionary(static a => a.Key, a => UnmergedAdapter.Open(a.Value, checkpoint, ops), StringComparer.Ordinal);
            LanguageModel? language = withTokenizer ? LanguageModel.Open(checkpoint, ops, cache, context.Token) : null;
            Llama llama = language?.Llama ?? (cache is null ? checkpoint.LoadPacked(ops) : cache.Load(checkpoint, ops, context.Token));
            return new OpenedModel(source, checkpoint, llama, language, ops, options.CacheType(args), Stopwatch.GetElapsedTime(start)) { Adapters = adapters };
        }
        catch
        {
            checkpoint.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Ops.Dispose();
        Checkpoint.Dispose();
    }
}
