using Puna.Cli.Parsing;

namespace Puna.Cli.Commands;

/// <summary>The options of every command that opens a model.</summary>
/// <param name="isRequired">Whether the command has no default model.</param>
/// <param name="computes">Whether the command computes with the model; otherwise threads are accepted, as everywhere, and change nothing.</param>
internal sealed class ModelOptions(bool isRequired = false, bool computes = true)
{
    /// <summary>The model.</summary>
    public Option<string?> Model { get; } = CommonOptions.Model(isRequired);

    /// <summary>Threads that compute.</summary>
    public Option<long?> Threads { get; } = CommonOptions.Threads(computes);

    /// <summary>Whether the model is read instead of mapped.</summary>
    public Option<bool> NoMmap { get; } = CommonOptions.NoMmap();

    /// <summary>The group of the help page.</summary>
    public OptionGroup Group => new("Model", Model, Threads, NoMmap);
}
