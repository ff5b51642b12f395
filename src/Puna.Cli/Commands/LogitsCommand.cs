using Puna.Cli.Generation;
using Puna.Cli.Hosting;
using Puna.Cli.Locating;
using Puna.Cli.Parsing;
using Puna.Formats.Npy;
using Puna.Models;
using Puna.Models.PromptGuard;
using Puna.Models.Vision;
using Puna.Tensors;

namespace Puna.Cli.Commands;

/// <summary><c>puna logits</c>.</summary>
internal sealed class LogitsCommand : Command
{
    // Rows of logits held at a time: 64 MB of them.
    private const long LogitsAtOnce = 1 << 24;
    private const int FewestRows = 16;
    private const int MostRows = 512;

    private static readonly ModelOptions Model = new();
    private static readonly Option<int[]?> Tokens = Parsing.Options.Tokens("tokens", "The token ids, exactly these: nothing is added");
    private static readonly Option<string?> Inputs = Parsing.Options.Path("inputs", "F", "A safetensors file with the ids as input_ids, int64 [tokens] or [1, tokens], and for a model that sees pixel_values and what goes with them; others are ignored", ValueHint.File);
    private static readonly PictureArguments Pictures = new();
    private static readonly Option<string?> Out = Parsing.Options.Path("out", "F.npy", "The file to write", ValueHint.File);

    /// <inheritdoc/>
    public override string Name => "logits";

    /// <inheritdoc/>
    public override string Summary => "write the logits of one forward pass as a NumPy file";

    /// <inheritdoc/>
    public override string Description =>
        "Computes one forward pass over the given tokens and writes the logits of every position as float32 [tokens, vocabulary], in C order. For a classifier "
        + "its logits are written, [1, labels], those of the last token; for Prompt Guard (DeBERTa) those of the whole text. No tokenizer is needed.\n\n"
        + "With --image, the tokens are to have the model's image or patch tokens for each picture, in order.";

    /// <inheritdoc/>
    public override IReadOnlyList<OptionGroup> Groups => [Model.Group, new("Input and output", Tokens, Inputs, Pictures.Image, Pictures.Frames, Out)];

    /// <inheritdoc/>
    public override IReadOnlyList<Example> Examples =>
    [
        new("puna logits --tokens 1,402,338 --out logits.npy", "Of the embedded model"),
        new("puna logits --model llama.gguf --inputs io.safetensors --out logits.npy", "The ids of a recorded test"),
    ];

    /// <inheritdoc/>
    public override int Execute(CommandContext context)
    {
        string path = context.Args.Require(Out);
        ModelInputs inputs = ReadInputs(context.Args);
        int[] ids = inputs.Ids;
        ModelSource source = new ModelLocator(context).Locate(context.Args.Get(Model.Model));
        if (source.Path is string place && DebertaCheckpoint.IsIn(place))
        {
            return Classify(context, place, ids, path);
        }

        using OpenedModel opened = OpenedModel.Open(context, Model, withTokenizer: false, source);
        Llama llama = opened.Llama;
        int width = llama.Output.Weight.Out;
        bool isClassifier = llama.Config.Labels > 0;
        Check(ids, llama.Config);
        inputs = PictureArguments.Add(inputs, Pictures.Read(context.Args, source, llama.Config), llama.Config);
        EarlyFusion? pictures = llama.Config.Llama4?.Vision is not null && inputs.Pixels is { } pixels ? EarlyFusion.Compute(opened.Checkpoint, opened.Ops, ids, pixels) : null;
        using CrossStates? seen = MllamaInputs.Read(inputs, llama.Config) is { } images ? Look(opened, images) : null;
        using var file = new NpyWriter(path, new Shape(isClassifier ? 1 : ids.Length, width));
        using KvCache cache = llama.CreateCache(opened.CacheType);
        using KvSequence sequence = cache.CreateSequence();
        KvSequence[] sequences = [sequence];
        var batch = new Batch();
        var pass = new ForwardContext();
        // In pieces the result is the same, except where the base of the rotation depends on the length of the whole.
        int rows = llama.Config.RopeScaling is RopeScaling.Dynamic ? ids.Length : (int)Math.Clamp(LogitsAtOnce / width, FewestRows, MostRows);
        for (int at = 0; at < ids.Length; at += rows)
        {
            context.Token.ThrowIfCancellationRequested();
            int count = Math.Min(rows, ids.Length - at);
            bool isLast = at + count == ids.Length;
            ArenaMark mark = opened.Ops.Mark();
            batch.Clear();
            batch.Add(ids.AsSpan(at, count), at, !isClassifier ? BatchOutputs.All : isLast ? BatchOutputs.Last : BatchOutputs.None);
            pass.Soft = pictures?.Rows(at, count);
            Write(opened.Ops, llama.Forward(opened.Ops, batch, pass, sequences, seen is null ? null : [seen]), file);
            opened.Ops.Release(mark);
        }

        file.Complete();
        return ExitCodes.Done;
    }

    private static int Classify(CommandContext context, string place, int[] ids, string path)
    {
        Model.RefuseChanges(context.Args, "a Prompt Guard");
        using DebertaCheckpoint checkpoint = DebertaCheckpoint.Open(place, map: !context.Args.Get(Model.NoMmap));
        if (ids.Length == 0)
        {
            throw new PunaException("tokens: expected at least one, got none");
        }

        TokenIds.Check(ids, checkpoint.Config.Vocab);
        using var ops = new CpuOps(CommonOptions.ThreadCount(context.Args.Get(Model.Threads)));
        DebertaClassifier model = checkpoint.LoadPacked(ops);
        var batch = new Batch();
        batch.Add(ids, 0, BatchOutputs.None);
        using var file = new NpyWriter(path, new Shape(1, checkpoint.Config.Labels.Count));
        Write(ops, model.Forward(ops, batch), file);
        file.Complete();
        return ExitCodes.Done;
    }

    private static void Write(CpuOps ops, Tensor logits, NpyWriter file)
    {
        var row = new float[logits.Columns];
        for (long i = 0; i < logits.Rows; i++)
        {
            ops.Read(logits.Slice(i, 1), row);
            file.Write(row);
        }
    }

    private static CrossStates Look(OpenedModel opened, MllamaInputs images)
    {
        ArenaMark mark = opened.Ops.Mark();
        CrossStates states = CrossStates.Compute(opened.Llama, opened.Ops, images.Images, images.Mask, opened.CacheType);
        opened.Ops.Release(mark);
        return states;
    }

    private static ModelInputs ReadInputs(ParsedArguments args)
    {
        args.Exclude(Tokens, Inputs);
        args.Exclude(Pictures.Image, Inputs);
        if (args.Get(Tokens) is { } ids)
        {
            return new ModelInputs(ids);
        }

        return ModelInputs.Read(args.Get(Inputs) ?? throw new UsageException("logits: expected --tokens or --inputs, got neither"));
    }

    private static void Check(int[] ids, LlamaConfig config)
    {
        if (ids.Length == 0)
        {
            throw new PunaException("tokens: expected at least one, got none");
        }

        TokenIds.Check(ids, config.InputVocab);
        if (ids.Length > config.ContextLength && config.RopeScaling is not RopeScaling.Dynamic)
        {
            throw new PunaException($"tokens: expected at most the context of {config.ContextLength}, got {ids.Length}");
        }
    }
}
