using Puna.Cli.Hosting;
using Puna.Hub;

namespace Puna.Cli.Locating;

/// <summary>Downloads a model, showing how far it has come.</summary>
internal static class HubPull
{
    /// <summary>Brings the files of a model into the cache, if they are not there.</summary>
    /// <exception cref="HubException">The model is not there, may not be read, or did not come through whole.</exception>
    /// <exception cref="OperationCanceledException">The download was stopped; what is here already stays for the next.</exception>
    public static ModelFiles Run(HubClient client, HubOptions options, ModelReference reference, CommandContext context)
    {
        // What is here needs no display, which takes longer to start than the cache to look.
        if (!options.Refresh && client.Cache.TryFind(reference, out ModelFiles? files))
        {
            return files;
        }

        return ProgressDisplay.Run(context.Terminal, ProgressUnit.Bytes, show => client.PullAsync(reference, new Shown(show), context.Token).GetAwaiter().GetResult());
    }

    private sealed class Shown(Action<ProgressState> show) : IProgress<PullProgress>
    {
        public void Report(PullProgress value) => show(new ProgressState(Describe(value), value.Bytes, value.Total));

        private static string Describe(PullProgress value) => value switch
        {
            { Note: { } note } => note,
            { Stage: PullStage.Listing } => "asking which files there are",
            { Stage: PullStage.Verifying } => $"checking {value.File} ({value.Index} of {value.Count})",
            _ => $"{value.File} ({value.Index} of {value.Count})",
        };
    }
}
