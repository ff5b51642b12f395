using Puna.Cli.Parsing;
using Puna.DefaultModel;

namespace Puna.Cli.Completions;

/// <summary>What the completion scripts of all shells offer for a value.</summary>
internal static class CompletionValues
{
    /// <summary>Words to offer for an option's value; files come on top where <see cref="TakesFiles(ValueHint)"/>.</summary>
    public static IReadOnlyList<string> Of(Option option, IReadOnlyList<Command> commands) => Of(option.Choices, option.Hint, commands);

    /// <summary>Words to offer for an argument.</summary>
    public static IReadOnlyList<string> Of(Argument argument, IReadOnlyList<Command> commands) => Of(argument.Choices, argument.Hint, commands);

    /// <summary>Whether files are offered.</summary>
    public static bool TakesFiles(ValueHint hint) => hint is ValueHint.File or ValueHint.Folder or ValueHint.Model;

    private static IReadOnlyList<string> Of(IReadOnlyList<string> choices, ValueHint hint, IReadOnlyList<Command> commands) => hint switch
    {
        ValueHint.Command => [.. commands.Select(static c => c.Name)],
        ValueHint.Model => DefaultModels.Names,
        _ => choices,
    };
}
