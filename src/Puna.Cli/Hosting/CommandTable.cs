using Puna.Cli.Commands;
using Puna.Cli.Parsing;

namespace Puna.Cli.Hosting;

/// <summary>The commands of <c>puna</c>, in the order of the help page.</summary>
internal static class CommandTable
{
    // Factories, because a run needs one command and its options only.
    private static readonly (string Name, Func<Command> Create)[] Entries =
    [
        ("run", static () => new RunCommand()),
        ("chat", static () => new ChatCommand()),
        ("serve", static () => new ServeCommand()),
        ("batch", static () => new BatchCommand()),
        ("fill", static () => new FillCommand()),
        ("tokenize", static () => new TokenizeCommand()),
        ("template", static () => new TemplateCommand()),
        ("preprocess", static () => new PreprocessCommand()),
        ("logits", static () => new LogitsCommand()),
        ("inspect", static () => new InspectCommand()),
        ("convert", static () => new ConvertCommand()),
        ("bench", static () => new BenchCommand()),
        ("perplexity", static () => new PerplexityCommand()),
        ("guard", static () => new GuardCommand()),
        ("train", static () => new TrainCommand()),
        ("pull", static () => new PullCommand()),
        ("list", static () => new ListCommand()),
        ("rm", static () => new RmCommand()),
        ("doctor", static () => new DoctorCommand()),
        ("completion", static () => new CompletionCommand()),
        ("version", static () => new VersionCommand()),
        ("help", static () => new HelpCommand()),
    ];

    /// <summary>Names of all commands.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Entries.Select(static e => e.Name)];

    /// <summary>All commands.</summary>
    public static IReadOnlyList<Command> All() => [.. Entries.Select(static e => e.Create())];

    /// <summary>The command called <paramref name="name"/>.</summary>
    /// <exception cref="UsageException">There is none.</exception>
    public static Command Find(string name)
    {
        foreach ((string entry, Func<Command> create) in Entries)
        {
            if (entry == name)
            {
                return create();
            }
        }

        string? near = Suggestions.Nearest(name, Names);
        throw new UsageException($"unknown command {UsageException.Quote(name)}{(near is null ? "" : $", did you mean {near}?")} (puna help lists the commands)");
    }
}
