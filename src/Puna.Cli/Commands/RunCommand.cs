using Puna.Cli.Generation;
using Puna.Cli.Guarding;
using Puna.Cli.Hosting;
using Puna.Cli.Locating;
using Puna.Cli.Parsing;
using Puna.Models.Vision;
using Puna.Runtime.Generation;
using Puna.Tensors;
using Puna.Text.Chat;

namespace Puna.Cli.Commands;

/// <summary><c>puna run</c>.</summary>
internal sealed class RunCommand : Command
{
    private static readonly Argument PromptArgument = new("PROMPT", "The text to continue or to answer, taken as it stands", IsRequired: false) { ExtraHint = "put the prompt in quotes" };

    private static readonly ModelOptions Model = new();
    private static readonly SamplingArguments Sampling = new();
    private static readonly Option<string?> Prompt = Parsing.Options.Text("prompt", "P", "The prompt, in place of PROMPT");
    private static readonly Option<string?> PromptFile = Parsing.Options.Path("file", "F", "A file whose content, less a final line break, is the prompt; - is standard input", ValueHint.File);
    private static readonly Option<int[]?> Tokens = Parsing.Options.Tokens("tokens", "The prompt as token ids, exactly these: nothing is added");
    private static readonly Option<string?> System = Parsing.Options.Text("system", "S", "The system message, for a model with a chat format");
    private static readonly Option<bool> Raw = Parsing.Options.Flag("raw", "Continue the prompt as it stands even if the model has a chat format");
    private static readonly Option<string?> Saved = Parsing.Options.Path("session", "F", "Keep what was computed in this file: a later prompt that begins with the same text goes on from there", ValueHint.File);
    private static readonly Option<bool> Json = CommonOptions.Json("Print one JSON object with the new text, its tokens and why it ended");
    private static readonly Option<string?> Guard = OpenedGuard.Option();
    private static readonly PictureArguments Pictures = new();
    private static readonly Option<long?> LogProbs = Parsing.Options.OptionalInteger("logprobs", "N", "With --json, the log-probability of each token and of the N most likely ones", null, 0, 1000);

    /// <inheritdoc/>
    public override string Name => "run";

    /// <inheritdoc/>
    public override string Summary => "continue a text or answer a prompt";

    /// <inheritdoc/>
    public override string Description =>
        "Prints the text as it comes. A model with a chat format is given the prompt as a user's message, and its reply is printed; any other model continues "
        + "the prompt, and prompt and continuation are printed. The embedded model continues a story when it is given the beginning of one.\n\n"
        + "No character of a prompt has a meaning to this program; one that starts with a dash goes after --. A model without a tokenizer works with --tokens.";

    /// <inheritdoc/>
    public override IReadOnlyList<Argument> Arguments => [PromptArgument];

    /// <inheritdoc/>
    public override IReadOnlyList<OptionGroup> Groups =>
    [
        new("Prompt", Prompt, PromptFile, Tokens, System, Raw, Pictures.Image, Pictures.Frames),
        Model.Group,
        .. Sampling.Groups,
        new("Output", Saved, Guard, Json, LogProbs),
    ];

    /// <inheritdoc/>
    public override IReadOnlyList<Example> Examples =>
    [
        new("puna run \"Once upon a time\"", "A story of the embedded model"),
        new("puna run --model Llama-3.2-1B-Instruct/ --max-tokens 200 \"What is a puna?\"", "A reply of an instruction model"),
        new("puna run --model Llama-3.2-11B-Vision-Instruct/ --image dog.jpg \"What is this?\"", "About a picture"),
        new("puna run --model llama.gguf --temperature 0 --json -- \"- milk\"", "The likeliest continuation, for programs"),
    ];

    /// <inheritdoc/>
    public override int Execute(CommandContext context)
    {
        ParsedArguments args = context.Args;
        PromptInput input = ReadPrompt(args);
        if (args.Has(LogProbs) && !args.Get(Json))
        {
            throw new UsageException("option --logprobs: expected --json with it, got none");
        }

        GenerationOptions options = Sampling.Read(args, (int?)args.Get(LogProbs));
        ModelSource source = new ModelLocator(context).Locate(args.Get(Model.Model));
        using OpenedModel opened = OpenedModel.Open(context, Model, withTokenizer: true, source);
        IReadOnlyList<TiledImage> pictures = Pictures.Read(args, source, opened.Llama.Config);
        PreparedPrompt prompt = (input with { Images = PictureArguments.Places(pictures, opened.Llama.Config) }).Prepare(opened);
        if (!input.IsRaw && opened.Language.Chat?.UnknownName is not null && context.Terminal.IsErrorTerminal)
        {
            context.Terminal.Error.WriteLine($"puna: {opened.Language.Chat.Explanation}");
        }

        using OpenedGuard? guard = OpenedGuard.Open(context, Guard, opened.Ops, map: !args.Get(Model.NoMmap));
        IReadOnlyList<ChatMessage> conversation = guard is null ? [] : input.Conversation(prompt);
        guard?.Require(conversation, context.Token);
        int room = Room(opened, prompt, args.Has(Model.Context));
        using var session = new Session(opened.Language, opened.Ops, opened.CacheType);
        if (args.Get(Saved) is { } saved && File.Exists(saved))
        {
            session.Restore(saved);
        }

        int? most = args.Has(Model.Context) ? Math.Min(room, options.MaxTokens ?? room) : options.MaxTokens;
        IEnumerable<GenerationStep> steps = session.Generate(prompt.Ids, pictures, options with { MaxTokens = most, StopIds = prompt.StopIds }, context.Token);
        steps = guard?.Hold(steps, conversation, context.Token) ?? steps;
        var result = new RunResult();
        if (args.Get(Json))
        {
            PrintJson(context, steps, result, prompt, options, opened);
        }
        else
        {
            PrintText(context, steps, result, prompt, opened);
        }

        if (args.Get(Saved) is { } file)
        {
            session.Save(file);
        }

        // Reaching the end of the context is how an unlimited text may end; who asks for a number of tokens is told that they did not fit.
        return result.Finish != FinishReason.Stop && options.MaxTokens > result.Count
            ? throw new PunaException($"context: expected room for {options.MaxTokens} tokens after the {prompt.Ids.Length} of the prompt, got room for {room}")
            : ExitCodes.Done;
    }

    private static PromptInput ReadPrompt(ParsedArguments args)
    {
        string? argument = args.Get(PromptArgument);
        int given = (argument is null ? 0 : 1) + (args.Has(Prompt) ? 1 : 0) + (args.Has(PromptFile) ? 1 : 0) + (args.Has(Tokens) ? 1 : 0);
        if (given != 1)
        {
            throw new UsageException($"prompt: expected one of PROMPT, --prompt, --file and --tokens, got {(given == 0 ? "none" : "more")} (see puna run --help)");
        }

        args.Exclude(Tokens, System);
        args.Exclude(Raw, System);
        // A guard would not see the picture, and a session file does not keep it.
        args.Exclude(Pictures.Image, Guard);
        args.Exclude(Pictures.Image, Saved);
        string? text = argument ?? args.Get(Prompt) ?? (args.Get(PromptFile) is { } file ? TextLines.ReadAll(file) : null);
        return new PromptInput(text, args.Get(Tokens), args.Get(System), args.Get(Raw));
    }

    private static int Room(OpenedModel opened, PreparedPrompt prompt, bool isLimited)
    {
        int context = opened.Llama.Config.ContextLength;
        return !isLimited || prompt.Ids.Length < context
            ? Math.Max(0, context - prompt.Ids.Length)
            : throw new PunaException($"prompt: expected fewer tokens than the context of {context}, got {prompt.Ids.Length}");
    }

    private static void PrintText(CommandContext context, IEnumerable<GenerationStep> steps, RunResult result, PreparedPrompt prompt, OpenedModel opened)
    {
        TextWriter output = context.Out;
        bool hasTokenizer = opened.Language.Tokenizer is not null;
        string shown = hasTokenizer ? prompt.Shown ?? "" : string.Join(',', prompt.Ids);
        string last = "\n";
        try
        {
            foreach (GenerationStep step in steps)
            {
                // The prompt only now, because it may turn out to be too long.
                Write(result.Count == 0 ? shown : "");
                result.Add(step);
                Write(hasTokenizer ? step.Text : $",{step.Token}");
                output.Flush();
            }

            Write(result.Count == 0 ? shown : "");
        }
        finally
        {
            // Also where Ctrl-C ends the text: what the shell prints next begins a line.
            if (!last.EndsWith('\n'))
            {
                output.Write('\n');
            }
        }

        output.Flush();

        void Write(string text)
        {
            last = text.Length > 0 ? text : last;
            output.Write(text);
        }
    }

    private static void PrintJson(CommandContext context, IEnumerable<GenerationStep> steps, RunResult result, PreparedPrompt prompt, GenerationOptions options, OpenedModel opened)
    {
        try
        {
            foreach (GenerationStep step in steps)
            {
                result.Add(step);
            }
        }
        catch (OperationCanceledException)
        {
            Write(isInterrupted: true);
            throw;
        }

        Write(isInterrupted: false);

        void Write(bool isInterrupted)
        {
            using var line = new JsonOutput(context.Out);
            line.Writer.WriteStartObject();
            result.Write(line.Writer, isInterrupted, prompt.Ids.Length, options.Sampling.Seed, opened.Language.Tokenizer);
            line.Writer.WriteEndObject();
        }
    }
}
