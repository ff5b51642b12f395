using Puna.Cli.Hosting;

namespace Puna.Cli.Parsing;

/// <summary>A command of <c>puna</c>: its definition, and what it does.</summary>
internal abstract class Command
{
    /// <summary>The option that every command has.</summary>
    public static Option<bool> Help { get; } = Parsing.Options.Flag("help", "Show this page");

    /// <summary>The word that selects it.</summary>
    public abstract string Name { get; }

    /// <summary>One line for the list of commands, without a final stop.</summary>
    public abstract string Summary { get; }

    /// <summary>What it does, in full sentences; paragraphs are separated by an empty line.</summary>
    public abstract string Description { get; }

    /// <summary>Arguments that have a place, in order; only the last ones may be optional.</summary>
    public virtual IReadOnlyList<Argument> Arguments => [];

    /// <summary>Options in the groups of the help page, without <see cref="Help"/>.</summary>
    public virtual IReadOnlyList<OptionGroup> Groups => [];

    /// <summary>Examples for the help page.</summary>
    public virtual IReadOnlyList<Example> Examples => [];

    /// <summary>All options, <see cref="Help"/> last.</summary>
    public IEnumerable<Option> Options => Groups.SelectMany(static group => group.Options).Append(Help);

    /// <summary>Does the work.</summary>
    /// <returns>The exit code; failures are exceptions (see <see cref="CliHost"/>).</returns>
    public abstract int Execute(CommandContext context);
}
