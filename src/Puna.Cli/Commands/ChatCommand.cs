using Puna.Cli.Generation;
using Puna.Cli.Guarding;
using Puna.Cli.Hosting;
using Puna.Cli.Parsing;
using Puna.Runtime.Generation;

namespace Puna.Cli.Commands;

/// <summary><c>puna chat</c>.</summary>
internal sealed class ChatCommand : Command
{
    private static readonly ModelOptions Model = new();
    private static readonly SamplingArguments Sampling = new();
    private static readonly Option<string?> Guard = OpenedGuard.Option();
    private static readonly Option<string?> System = Parsing.Options.Text("system", "S", "The system message, for a model with a chat format");

    /// <inheritdoc/>
    public override string Name => "chat";

    /// <inheritdoc/>
    public override string Summary => "talk with a model";

    /// <inheritdoc/>
    public override string Description =>
        "Reads a message per line and prints the model's reply to the whole conversation so far. Ctrl-C stops a reply; what there is of it stays in the "
        + "conversation. At the prompt Ctrl-C or the end of the input (Ctrl-D; on Windows Ctrl-Z and Enter) ends the chat. The arrows edit a message and call back "
        + "earlier ones; Alt-Enter, and line breaks in pasted text, go into the message (not on Windows, whose console edits lines by itself).\n\n"
        + ChatCommands.Help + "\n\n"
        + "A model without a chat format says so and continues plain text: each line is added to the text, and a line after the end of a text begins a new one.";

    /// <inheritdoc/>
    public override IReadOnlyList<OptionGroup> Groups => [Model.Group, new("Conversation", System, Guard), .. Sampling.Groups];

    /// <inheritdoc/>
    public override IReadOnlyList<Example> Examples =>
    [
        new("puna chat --model Llama-3.2-1B-Instruct/", "Talk with an instruction model"),
        new("puna chat --model llama.gguf --system \"Answer in verse.\" --temperature 1", "With a system message"),
    ];

    /// <inheritdoc/>
    public override int Execute(CommandContext context)
    {
        GenerationOptions options = Sampling.Read(context.Args);
        string? system = context.Args.Get(System);
        using OpenedModel opened = OpenedModel.Open(context, Model, withTokenizer: true);
        opened.RequireTokenizer();
        if (opened.Language.Chat!.Format is null && system is not null)
        {
            throw new UsageException($"option --system: expected a model with a chat format, got {opened.Name}: {opened.Language.Chat.Explanation}");
        }

        using var session = new Session(opened.Language, opened.Ops, opened.CacheType);
        IConversation conversation = opened.Language.Chat.Format is { } format
            ? new ChatConversation(format, opened.RequireTokenizer(), system)
            : new TextConversation(opened.RequireTokenizer());
        using OpenedGuard? guard = OpenedGuard.Open(context, Guard, opened.Ops, map: !context.Args.Get(Model.NoMmap));
        new ChatLoop(context, opened, session, conversation, options, guard).Run();
        return ExitCodes.Done;
    }
}
