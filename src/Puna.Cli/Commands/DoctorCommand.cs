using Puna.Cli.Diagnostics;
using Puna.Cli.Hosting;
using Puna.Cli.Parsing;
using Puna.Hub;

namespace Puna.Cli.Commands;

/// <summary><c>puna doctor</c>.</summary>
internal sealed class DoctorCommand : Command
{
    private static readonly Option<long?> Threads = CommonOptions.Threads();
    private static readonly Option<bool> Json = CommonOptions.Json();

    /// <inheritdoc/>
    public override string Name => "doctor";

    /// <inheritdoc/>
    public override string Summary => "show what this machine offers, and what follows from it";

    /// <inheritdoc/>
    public override string Description =>
        "Shows the processor features the runtime sees and the kernels chosen for them, cores, memory and its measured read bandwidth, and says what "
        + "they mean for the speed of a model. The measurement reads a gigabyte (an eighth of the memory where that is less) several times.";

    /// <inheritdoc/>
    public override IReadOnlyList<OptionGroup> Groups => [new("Options", Threads, Json)];

    /// <inheritdoc/>
    public override IReadOnlyList<Example> Examples =>
    [
        new("puna doctor", "The report for people"),
        new("puna doctor --json", "The same for programs"),
    ];

    /// <inheritdoc/>
    public override int Execute(CommandContext context)
    {
        int threads = CommonOptions.ThreadCount(context.Args.Get(Threads));
        var report = new DoctorReport(threads, MemoryBandwidth.Measure(threads, context.Token), HubCache.DefaultFolder);
        if (context.Args.Get(Json))
        {
            report.WriteJson(context.Out);
        }
        else
        {
            report.WriteText(context.Out);
        }

        return ExitCodes.Done;
    }
}
