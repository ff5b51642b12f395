using Puna.Training.Recipes;
using Spectre.Console;

namespace Puna.Cli.Hosting;

/// <summary>Shows on standard error how far a recipe is, with its lines above; nothing where nobody looks at it.</summary>
internal static class RecipeProgress
{
    /// <summary>Runs <paramref name="work"/> on the calling thread.</summary>
    public static string Run(Terminal terminal, Func<IRecipeReport, string> work) => terminal.IsErrorTerminal ? RunOnTerminal(work) : work(SilentReport.Instance);

    // A method of its own: where there is no terminal, the console library is not even loaded.
    private static string RunOnTerminal(Func<IRecipeReport, string> work)
    {
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        return console.Progress()
            .AutoClear(true)
            .Columns([new ProgressBarColumn { Width = 20 }, new PercentageColumn(), new TaskDescriptionColumn { Alignment = Justify.Left }])
            .Start(context => work(new Report(console, context.AddTask("preparing"))));
    }

    private sealed class Report(IAnsiConsole console, ProgressTask task) : IRecipeReport
    {
        public void Progress(string stage, long done, long? total)
        {
            task.Description = Markup.Escape(stage);
            task.IsIndeterminate = total is null;
            task.MaxValue = Math.Max(1, total ?? 1);
            task.Value = done;
        }

        public void Line(string text) => console.WriteLine(text);
    }
}
