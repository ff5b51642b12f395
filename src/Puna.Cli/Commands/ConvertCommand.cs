using Puna.Cli.Hosting;
using Puna.Cli.Locating;
using Puna.Cli.Parsing;
using Puna.Models.Checkpoints;
using Puna.Models.Conversion;
using Puna.Models.Quantization;
using Puna.Tensors;

namespace Puna.Cli.Commands;

/// <summary><c>puna convert</c>.</summary>
internal sealed class ConvertCommand : Command
{
    private static readonly Option<string?> From = Parsing.Options.Path("from", "A", "The model to read: a file, a folder, an embedded name, or owner/name[:file] of the hub", ValueHint.Model);
    private static readonly Option<string?> To = Parsing.Options.Path("to", "B", "What to write: a .gguf file, or a folder for safetensors and meta", ValueHint.File);
    private static readonly Option<string?> Format = Parsing.Options.Choice("format", "F", "Format of the result", ["safetensors", "gguf", "meta"], defaultText: "gguf where B ends in .gguf, else safetensors");
    private static readonly Option<string?> Type = Parsing.Options.Choice("type", "T", "Type of the weights; block types in gguf only", [.. FileTypes.All.Select(FileTypes.Name), "q3_k", "q4_k", "q5_k"], defaultText: "as they are");
    private static readonly Option<long?> Threads = CommonOptions.Threads();
    private static readonly Option<long?> SplitSize = Parsing.Options.Size(
        "split-size", "SIZE", "Begin another file before the tensors of one exceed this, for example 5G or 500M (powers of ten); safetensors and gguf only", "one file");
    private static readonly Option<string?> Adapter = CommonOptions.Adapter();
    private static readonly Option<bool> NoMmap = CommonOptions.NoMmap();

    /// <inheritdoc/>
    public override string Name => "convert";

    /// <inheritdoc/>
    public override string Summary => "write a model in another format or with other types";

    /// <inheritdoc/>
    public override string Description =>
        "Writes a model in the layout of Hugging Face (safetensors), of llama.cpp (gguf) or of Meta's releases, with its settings and vocabulary, and quantises "
        + "its weights where asked to. Where a type stays, the bits stay. Nothing appears under the final names before everything is written, and memory does "
        + "not grow with the model.";

    /// <inheritdoc/>
    public override IReadOnlyList<OptionGroup> Groups => [new("Input and output", From, To, Adapter, Format, Type, SplitSize), new("Model", Threads, NoMmap)];

    /// <inheritdoc/>
    public override IReadOnlyList<Example> Examples =>
    [
        new("puna convert --from Llama-3.2-1B/ --to llama.gguf --type q4_k_m", "Quantise a model"),
        new("puna convert --from llama.gguf --to Llama-3.2-1B/ --split-size 5G", "From a GGUF file to a folder of safetensors of at most 5 GB each"),
        new("puna convert --from consolidated/ --to Llama-2-7b/ --format safetensors", "From Meta's layout to that of Hugging Face"),
        new("puna convert --from Llama-3.2-1B/ --adapter my-lora/ --to merged.gguf --type q8_0", "Add an adapter to the weights for good"),
    ];

    /// <inheritdoc/>
    public override int Execute(CommandContext context)
    {
        ParsedArguments args = context.Args;
        string from = args.Require(From);
        string to = args.Require(To);
        CheckpointFormat format = args.Get(Format) switch
        {
            "gguf" => CheckpointFormat.Gguf,
            "meta" => CheckpointFormat.Meta,
            null when to.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase) => CheckpointFormat.Gguf,
            _ => CheckpointFormat.Safetensors,
        };
        ModelSource source = new ModelLocator(context).Locate(from);
        CheckDestination(source, to, format);
        using Checkpoint checkpoint = source.OpenCheckpoint(map: !args.Get(NoMmap));
        if (args.Get(Adapter) is { } adapter)
        {
            checkpoint.Adapt(adapter);
        }

        var options = new ConversionOptions
        {
            Format = format,
            Type = FileTypes.TryParse(args.Get(Type), out FileType type) ? type : null,
            MaxFileBytes = args.Get(SplitSize) ?? long.MaxValue,
            Threads = CommonOptions.ThreadCount(args.Get(Threads)),
        };
        long bytes = ProgressDisplay.Run(context.Terminal, ProgressUnit.Bytes, show =>
        {
            var shown = new Shown(show);
            CheckpointConverter.Convert(checkpoint, to, options, shown, context.Token);
            return shown.Total;
        });
        context.Out.WriteLine($"{to}: {format.ToString().ToLowerInvariant()}, {ByteSize.Format(bytes)} of tensors");
        return ExitCodes.Done;
    }

    // The source is read until the very end, so it must not be what is written.
    private static void CheckDestination(ModelSource source, string to, CheckpointFormat format)
    {
        bool isFile = format == CheckpointFormat.Gguf;
        if (isFile && Directory.Exists(to))
        {
            throw new PunaException($"destination {to}: expected the name of a file, got a folder");
        }

        if (!isFile && (File.Exists(to) || to.EndsWith(".safetensors", StringComparison.OrdinalIgnoreCase) || to.EndsWith(".pth", StringComparison.OrdinalIgnoreCase)))
        {
            throw new PunaException($"destination {to}: expected the name of a folder, got that of a file");
        }

        if (source.Path is { } path && Same(path, to))
        {
            throw new PunaException($"destination {to}: expected another place than that of the source");
        }
    }

    private static bool Same(string one, string other)
    {
        StringComparison comparison = OperatingSystem.IsLinux() ? StringComparison.Ordinal : StringComparison.OrdinalIgnoreCase;
        return string.Equals(Full(one), Full(other), comparison) || string.Equals(Path.GetDirectoryName(Full(one)), Full(other), comparison);
    }

    /// <summary>The full path with every link in it followed, as far as it exists.</summary>
    private static string Full(string path)
    {
        string full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        if (Path.GetDirectoryName(full) is not { } folder)
        {
            return full;
        }

        string here = Path.Combine(Full(folder), Path.GetFileName(full));
        try
        {
            FileSystemInfo entry = Directory.Exists(here) ? new DirectoryInfo(here) : new FileInfo(here);
            return entry.ResolveLinkTarget(returnFinalTarget: true) is { } target ? Full(target.FullName) : here;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return here; // a link to itself, or one that may not be read: opening it says so
        }
    }

    private sealed class Shown(Action<ProgressState> show) : IProgress<ConversionProgress>
    {
        public long Total { get; private set; }

        public void Report(ConversionProgress value)
        {
            Total = value.TotalBytes;
            show(new ProgressState("writing", value.BytesWritten, value.TotalBytes));
        }
    }
}
