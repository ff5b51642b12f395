using Puna.Cli.Parsing;
using Puna.DefaultModel;

namespace Puna.Cli.Commands;

/// <summary>Options that several commands have, defined once.</summary>
internal static class CommonOptions
{
    private const int MostThreads = 1024;

    /// <summary><c>--model M</c>.</summary>
    public static Option<string?> Model(bool isRequired = false) => Options.Path(
        "model", "M", "The model: a file, a folder, an embedded name, or owner/name[:file] of the hub", ValueHint.Model, isRequired ? null : DefaultModels.Default + ", which is embedded");

    /// <summary><c>--threads N</c>.</summary>
    public static Option<long?> Threads(bool computes = true) => Options.OptionalInteger(
        "threads", "N", computes ? "Threads that compute" : "Accepted by every command that opens a model; nothing is computed here", computes ? "one per core" : null, 1, MostThreads);

    /// <summary><c>--no-mmap</c>.</summary>
    public static Option<bool> NoMmap() => Options.Flag("no-mmap", "Read the model into memory instead of mapping its file");

    /// <summary><c>--experts-on-disk</c>.</summary>
    public static Option<bool> ExpertsOnDisk() => Options.Flag(
        "experts-on-disk", "Leave a Llama 4's routed experts in its GGUF file, from where those that tokens are sent to are read; so it is anyway where the model does not fit in memory");

    /// <summary><c>--adapter DIR</c>.</summary>
    public static Option<string?> Adapter() =>
        Options.Path("adapter", "DIR", "A LoRA, rsLoRA or DoRA adapter to add to the weights: a folder with adapter_config.json, or a .gguf file", ValueHint.Folder);

    /// <summary><c>--adapter NAME=DIR</c>, of commands that answer requests.</summary>
    public static Option<string?> NamedAdapters() => Options.Path(
        "adapter", "NAME=DIR", "An adapter beside the weights, for requests whose model is NAME; without NAME= one that is added to the weights, for all", ValueHint.Folder, repeatable: true);

    /// <summary><c>--kv T</c>.</summary>
    public static Option<string?> Kv() => Options.Choice(
        "kv", "T", "Type of the cached keys and values", ["f32", "f16", "q8_0"], defaultText: "f16 where the weights are quantised in blocks, else f32");

    /// <summary><c>--ctx N</c>.</summary>
    public static Option<long?> Context() => Options.OptionalInteger("ctx", "N", "Most tokens of a text, prompt and answer together; may be more than the model was made for", "the model's context", 1, Models.LlamaConfig.MostPositions);

    /// <summary>The environment variable that stands for <see cref="PackCache"/>.</summary>
    public const string PackCacheVariable = "PUNA_PACK_CACHE";

    /// <summary><c>--pack-cache DIR</c>.</summary>
    public static Option<string?> PackCache() => Options.Path(
        "pack-cache", "DIR", "Folder where packed weights are kept, so that the next start maps them instead of packing; as large as the models, and yours to empty", ValueHint.Folder,
        $"the variable {PackCacheVariable}, else packed at each start");

    /// <summary><c>--json</c>.</summary>
    public static Option<bool> Json(string summary = "Print one JSON object") => Options.Flag("json", summary);

    /// <summary>Threads to compute with.</summary>
    public static int ThreadCount(long? option) => option is long n ? (int)n : Math.Min(Environment.ProcessorCount, MostThreads);
}
