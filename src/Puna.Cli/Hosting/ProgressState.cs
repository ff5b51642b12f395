namespace Puna.Cli.Hosting;

/// <summary>How far a piece of work has come.</summary>
/// <param name="What">What is being done, for example the name of a file.</param>
/// <param name="Done">How much is done.</param>
/// <param name="Total">How much there is, or null where nobody knows.</param>
internal readonly record struct ProgressState(string What, long Done, long? Total);
