using Puna.Cli.Hosting;
using Puna.DefaultModel;
using Puna.Hub;
using Puna.Tensors;

namespace Puna.Cli.Locating;

/// <summary>
/// Finds the model that a name means: a file or folder, else an embedded model, else <c>owner/name[:file]</c> of the hub, which is downloaded where the
/// cache does not have it. What exists here comes first, so that no name on the hub can take its place.
/// </summary>
internal sealed class ModelLocator(CommandContext context)
{
    private static readonly string[] ModelSuffixes = [".gguf", ".safetensors", ".safetensors.index.json", ".pth", ".pt", ".bin", ".json", ".model"];

    /// <summary>Finds a model.</summary>
    /// <param name="name">What the user called it; null means the embedded default model.</param>
    /// <exception cref="PunaException">There is no such model.</exception>
    /// <exception cref="OperationCanceledException">The download was stopped.</exception>
    public ModelSource Locate(string? name)
    {
        if (name is null)
        {
            return new EmbeddedModel(DefaultModels.Default);
        }

        if (System.IO.Path.Exists(name))
        {
            return new FileModel(name, name);
        }

        if (DefaultModels.Contains(name))
        {
            return new EmbeddedModel(name);
        }

        // "models/llama.gguf" has the form of a name on the hub, but who writes the end of a file's name means a file.
        bool isFile = ModelSuffixes.Any(suffix => name.EndsWith(suffix, StringComparison.OrdinalIgnoreCase)) && !name.Contains(':', StringComparison.Ordinal);
        if (!isFile && ModelReference.TryParse(name, out ModelReference? reference))
        {
            return Pull(name, reference);
        }

        throw new PunaException(name.AsSpan().ContainsAny('/', '\\') || isFile
            ? $"model {name}: not found"
            : $"model {name}: expected a file, a folder, an embedded model ({string.Join(", ", DefaultModels.Names)}) or owner/name of the hub, got none of these");
    }

    private FileModel Pull(string name, ModelReference reference)
    {
        var options = new HubOptions();
        using var client = new HubClient(options);
        try
        {
            return new FileModel(name, HubPull.Run(client, options, reference, context).Path);
        }
        catch (HubException e) when (e.Kind is HubErrorKind.NotFound or HubErrorKind.AccessDenied or HubErrorKind.Network or HubErrorKind.Offline)
        {
            // Whoever meant a folder and mistyped it learns what became of the name.
            throw new HubException(e.Kind, $"there is no file or folder {name} here, and as a name of the hub: {e.Message}", e);
        }
    }
}
