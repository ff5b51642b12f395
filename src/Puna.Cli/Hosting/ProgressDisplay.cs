using Spectre.Console;

namespace Puna.Cli.Hosting;

/// <summary>Shows on standard error how far a piece of work has come, and only where somebody looks at it.</summary>
internal static class ProgressDisplay
{
    /// <summary>Runs <paramref name="work"/>, which reports through the action it is given, on the calling thread.</summary>
    public static T Run<T>(Terminal terminal, ProgressUnit unit, Func<Action<ProgressState>, T> work) =>
        terminal.IsErrorTerminal ? RunOnTerminal(unit, work) : work(static _ => { });

    // A method of its own: where there is no terminal, the console library is not even loaded.
    private static T RunOnTerminal<T>(ProgressUnit unit, Func<Action<ProgressState>, T> work)
    {
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        ProgressColumn[] amount = unit == ProgressUnit.Bytes ? [new DownloadedColumn(), new TransferSpeedColumn()] : [new PercentageColumn()];
        return console.Progress()
            .AutoClear(true)
            .Columns([new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), .. amount, new RemainingTimeColumn()])
            .Start(context =>
            {
                ProgressTask? task = null;
                string what = "";
                return work(state =>
                {
                    if (task is null || state.What != what)
                    {
                        what = state.What;
                        task?.StopTask();
                        task = context.AddTask(Markup.Escape(what), maxValue: state.Total ?? 1);
                    }

                    task.IsIndeterminate = state.Total is null;
                    task.MaxValue = Math.Max(1, state.Total ?? 1);
                    task.Value = state.Done;
                });
            });
    }
}
