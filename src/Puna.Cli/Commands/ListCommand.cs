using System.Globalization;
using System.Text.Json;
using Puna.Cli.Hosting;
using Puna.Cli.Locating;
using Puna.Cli.Parsing;
using Puna.DefaultModel;
using Puna.Hub;

namespace Puna.Cli.Commands;

/// <summary><c>puna list</c>.</summary>
internal sealed class ListCommand : Command
{
    private static readonly Option<bool> Json = CommonOptions.Json("Print one JSON array");

    /// <inheritdoc/>
    public override string Name => "list";

    /// <inheritdoc/>
    public override string Summary => "list the models on this machine";

    /// <inheritdoc/>
    public override string Description => "Lists the embedded model and the models in the local cache, with their sizes. The network is not touched.";

    /// <inheritdoc/>
    public override IReadOnlyList<OptionGroup> Groups => [new("Options", Json)];

    /// <inheritdoc/>
    public override IReadOnlyList<Example> Examples => [new("puna list", "All models on this machine")];

    /// <inheritdoc/>
    public override int Execute(CommandContext context)
    {
        IReadOnlyList<CachedModel> cached = new HubCache().List();
        if (context.Args.Get(Json))
        {
            WriteJson(cached, context.Out);
        }
        else
        {
            WriteText(cached, context.Out);
        }

        return ExitCodes.Done;
    }

    private static void WriteText(IReadOnlyList<CachedModel> cached, TextWriter output)
    {
        var table = new TextTable(rightAligned: 2);
        table.Add("NAME", "REVISION", "SIZE", "LAST USED", "FILES");
        foreach (string name in DefaultModels.Names)
        {
            table.Add(name, "embedded", ByteSize.Format(EmbeddedModel.Size(name)), "", "");
        }

        foreach (CachedModel model in cached)
        {
            string files = string.Join(", ", model.Files) + (model.PartialBytes > 0 ? $" (and {ByteSize.Format(model.PartialBytes)} of an unfinished download)" : "");
            table.Add(model.Name, model.Revision, ByteSize.Format(model.Bytes), model.LastUsed.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture), files);
        }

        table.Write(output, "");
    }

    private static void WriteJson(IReadOnlyList<CachedModel> cached, TextWriter output)
    {
        using var line = new JsonOutput(output);
        Utf8JsonWriter json = line.Writer;
        json.WriteStartArray();
        foreach (string name in DefaultModels.Names)
        {
            json.WriteStartObject();
            json.WriteString("name", name);
            json.WriteBoolean("embedded", true);
            json.WriteNumber("bytes", EmbeddedModel.Size(name));
            json.WriteEndObject();
        }

        foreach (CachedModel model in cached)
        {
            json.WriteStartObject();
            json.WriteString("name", model.Name);
            json.WriteBoolean("embedded", false);
            json.WriteNumber("bytes", model.Bytes);
            json.WriteNumber("partial_bytes", model.PartialBytes);
            json.WriteString("revision", model.Revision);
            json.WriteString("commit", model.Commit);
            json.WriteString("folder", model.Folder);
            json.WriteString("last_used", model.LastUsed);
            json.WriteStartArray("files");
            foreach (string file in model.Files)
            {
                json.WriteStringValue(file);
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }
}
