namespace Puna.DefaultModel;

/// <summary>The models inside this assembly: nothing but data, so that a library user who brings a model does not carry one.</summary>
public static class DefaultModels
{
    /// <summary>Name of the model used where none is named.</summary>
    public const string Default = "puna-tiny";

    /// <summary>Names of the embedded models.</summary>
    public static IReadOnlyList<string> Names { get; } = [Default];

    /// <summary>Whether a model of this name is embedded. Letter case counts, as in names on a hub.</summary>
    public static bool Contains(string name) => Names.Contains(name);

    /// <summary>File name of an embedded model, for example <c>puna-tiny.gguf</c>.</summary>
    /// <exception cref="ArgumentException">There is no model of this name.</exception>
    public static string FileName(string name) => Contains(name) ? name + ".gguf" : throw new ArgumentException($"no embedded model is called {name}", nameof(name));

    /// <summary>The bytes of the model, a GGUF file, from the start; seekable. The caller disposes the stream.</summary>
    /// <exception cref="ArgumentException">There is no model of this name.</exception>
    public static Stream Open(string name) =>
        typeof(DefaultModels).Assembly.GetManifestResourceStream(FileName(name)) ?? throw new InvalidOperationException($"{name} was not embedded by the build");
}
