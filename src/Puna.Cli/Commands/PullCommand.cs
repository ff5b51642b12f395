using Puna.Cli.Hosting;
using Puna.Cli.Locating;
using Puna.Cli.Parsing;
using Puna.Hub;

namespace Puna.Cli.Commands;

/// <summary><c>puna pull</c>.</summary>
internal sealed class PullCommand : Command
{
    private static readonly Argument Model = new("NAME", "owner/name, owner/name:file.gguf or owner/name@revision:file.gguf", IsRequired: true);
    private static readonly Option<bool> Refresh = Parsing.Options.Flag("refresh", "Ask the hub for newer files even if the cache has the model");
    private static readonly Option<bool> Offline = Parsing.Options.Flag("offline", "Use the cache alone");
    private static readonly Option<string?> Token = Parsing.Options.Text("token", "T", "Access token for gated and private models; better kept in the environment variable HF_TOKEN");
    private static readonly Option<bool> Json = CommonOptions.Json();

    /// <inheritdoc/>
    public override string Name => "pull";

    /// <inheritdoc/>
    public override string Summary => "download a model of the hub into the local cache";

    /// <inheritdoc/>
    public override string Description =>
        "Brings the files of a model into the cache and prints where they are. An interrupted download goes on where it stopped, and every file is checked "
        + "against the length and the checksum the hub announces. Commands that are given a name of the hub do the same by themselves.\n\n"
        + "Environment: HF_TOKEN holds an access token, PUNA_OFFLINE=1 keeps away from the network, PUNA_CACHE is the folder of the cache, PUNA_HUB the "
        + "address of the hub.";

    /// <inheritdoc/>
    public override IReadOnlyList<Argument> Arguments => [Model];

    /// <inheritdoc/>
    public override IReadOnlyList<OptionGroup> Groups => [new("Options", Refresh, Offline, Token, Json)];

    /// <inheritdoc/>
    public override IReadOnlyList<Example> Examples =>
    [
        new("puna pull unsloth/Llama-3.2-1B-Instruct", "A model in Hugging Face layout"),
        new("puna pull bartowski/Llama-3.2-1B-Instruct-GGUF:Llama-3.2-1B-Instruct-Q4_K_M.gguf", "One file of a repository that has many"),
    ];

    /// <inheritdoc/>
    public override int Execute(CommandContext context)
    {
        var options = new HubOptions
        {
            Refresh = context.Args.Get(Refresh),
            Offline = context.Args.Get(Offline) ? true : null,
            Token = context.Args.Get(Token),
        };
        using var client = new HubClient(options);
        ModelFiles files = HubPull.Run(client, options, ModelReference.Parse(context.Args.Require(Model)), context);
        if (context.Args.Get(Json))
        {
            using var line = new JsonOutput(context.Out);
            line.Writer.WriteStartObject();
            line.Writer.WriteString("model", files.Reference.ToString());
            line.Writer.WriteString("commit", files.Commit);
            line.Writer.WriteString("path", files.Path);
            line.Writer.WriteStartArray("files");
            foreach (string file in files.Files)
            {
                line.Writer.WriteStringValue(file);
            }

            line.Writer.WriteEndArray();
            line.Writer.WriteEndObject();
        }
        else
        {
            context.Out.WriteLine(files.Path);
        }

        return ExitCodes.Done;
    }
}
