using System.Text.RegularExpressions;
using Puna.Cli.Hosting;
using Puna.Cli.Parsing;
using Puna.Models.Packing;
using Puna.Tensors;

namespace Puna.Cli.Commands;

/// <summary>The options of every command that opens a model.</summary>
/// <param name="isRequired">Whether the command has no default model.</param>
/// <param name="computes">Whether the command computes with the model; otherwise threads are accepted, as everywhere, and change nothing.</param>
/// <param name="serves">Whether the command answers requests that name their model, so that adapters may have names.</param>
internal sealed partial class ModelOptions(bool isRequired = false, bool computes = true, bool serves = false)
{
    /// <summary>The model.</summary>
    public Option<string?> Model { get; } = CommonOptions.Model(isRequired);

    /// <summary>Threads that compute.</summary>
    public Option<long?> Threads { get; } = CommonOptions.Threads(computes);

    /// <summary>Whether the model is read instead of mapped.</summary>
    public Option<bool> NoMmap { get; } = CommonOptions.NoMmap();

    /// <summary>Type of the cached keys and values; only of commands that compute.</summary>
    public Option<string?> Kv { get; } = CommonOptions.Kv();

    /// <summary>Most tokens of a text; only of commands that compute.</summary>
    public Option<long?> Context { get; } = CommonOptions.Context();

    /// <summary>Folder of packed weights; only of commands that compute.</summary>
    public Option<string?> PackCache { get; } = CommonOptions.PackCache();

    /// <summary>Whether routed experts are left in the file; only of commands that compute.</summary>
    public Option<bool> ExpertsOnDisk { get; } = CommonOptions.ExpertsOnDisk();

    /// <summary>An adapter to add to the weights, or adapters with names; only of commands that compute.</summary>
    public Option<string?> Adapter { get; } = serves ? CommonOptions.NamedAdapters() : CommonOptions.Adapter();

    /// <summary>The group of the help page.</summary>
    public OptionGroup Group => computes ? new("Model", Model, Adapter, Context, Threads, NoMmap, ExpertsOnDisk, Kv, PackCache) : new("Model", Model, Threads, NoMmap);

    /// <summary>Refuses an adapter, a context and experts on disk where the model takes none, so that they are not left out without a word.</summary>
    /// <exception cref="UsageException">One of the options is given.</exception>
    public void RefuseChanges(ParsedArguments args, string what)
    {
        foreach (Option option in (ReadOnlySpan<Option>)[Adapter, Context, ExpertsOnDisk])
        {
            if (args.Has(option))
            {
                throw new UsageException($"option --{option.Name} has no meaning with {what}");
            }
        }
    }

    /// <summary>The adapter that is added to the weights, or null.</summary>
    /// <exception cref="UsageException">There are several.</exception>
    public string? MergedAdapter(ParsedArguments args)
    {
        string[] merged = [.. args.GetAll(Adapter).Where(value => !TryName(value, out _, out _))];
        return merged.Length <= 1 ? merged.FirstOrDefault() : throw new UsageException($"option --{Adapter.Name}: expected at most one adapter without a name, got {merged.Length}");
    }

    /// <summary>Adapters beside the weights: name and place.</summary>
    /// <exception cref="UsageException">A name comes twice.</exception>
    public Dictionary<string, string> NamedAdapters(ParsedArguments args)
    {
        var result = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (string value in args.GetAll(Adapter))
        {
            if (TryName(value, out string name, out string path) && !result.TryAdd(name, path))
            {
                throw new UsageException($"option --{Adapter.Name}: expected different names, got {UsageException.Quote(name)} twice");
            }
        }

        return result;
    }

    // A folder whose own name looks like one with a name before it is a folder.
    private bool TryName(string value, out string name, out string path)
    {
        Match match = Named().Match(value);
        (name, path) = (match.Groups["name"].Value, match.Groups["path"].Value);
        return serves && match.Success && !Path.Exists(value);
    }

    [GeneratedRegex(@"^(?<name>[A-Za-z0-9][A-Za-z0-9._:/-]*)=(?<path>.+)$")]
    private static partial Regex Named();

    /// <summary>The type that <see cref="Kv"/> names, or null.</summary>
    public DType? CacheType(ParsedArguments args) => computes && args.Get(Kv) is { } name && DTypes.TryParse(name, out DType type) ? type : null;

    /// <summary>The cache that <see cref="PackCache"/> or the environment names; null where there is none. Its warnings go to standard error.</summary>
    /// <exception cref="UsageException">The option is given together with <see cref="NoMmap"/>.</exception>
    public PackCache? PackCacheOf(CommandContext context)
    {
        ParsedArguments args = context.Args;
        args.Exclude(PackCache, NoMmap);
        string? folder = args.Get(PackCache) ?? Environment.GetEnvironmentVariable(CommonOptions.PackCacheVariable);
        return string.IsNullOrEmpty(folder) || args.Get(NoMmap)
            ? null
            : new PackCache(folder, line => context.Terminal.Error.WriteLine("puna: warning: " + line)) { Threads = CommonOptions.ThreadCount(args.Get(Threads)) };
    }
}
