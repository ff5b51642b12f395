using System.Diagnostics;
using Puna.Cli.Completions;
using Puna.Cli.Hosting;
using Puna.Cli.Parsing;

namespace Puna.Cli.Tests.Completions;

public class CompletionTests
{
    private static readonly IReadOnlyList<Command> Commands = CommandTable.All();

    public static TheoryData<string> Shells => ["bash", "zsh", "fish", "pwsh"];

    [Theory]
    [MemberData(nameof(Shells))]
    public void ContainsEveryCommandOptionAndChoice(string shell)
    {
        string script = Script(shell);
        foreach (Command command in Commands)
        {
            Assert.Contains(command.Name, script, StringComparison.Ordinal);
            foreach (Option option in command.Options)
            {
                string name = shell == "fish" ? $"__puna_is {command.Name}' -l {option.Name}" : $"--{option.Name}";
                Assert.Contains(name, script, StringComparison.Ordinal);
                Assert.All(option.Choices, choice => Assert.Contains(choice, script, StringComparison.Ordinal));
            }
        }

        Assert.DoesNotContain('\r', script);
    }

    [Theory]
    [InlineData("bash", "bash", "-n")]
    [InlineData("zsh", "zsh", "-n")]
    [InlineData("fish", "fish", "--no-execute")]
    public void TheShellAcceptsIt(string shell, string program, string option)
    {
        string file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, Script(shell));
            (int code, string output) = Execute(program, option, file);
            Assert.True(code == 0 && output.Length == 0, output);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Theory]
    [InlineData("", 1, "doctor")]
    [InlineData("do", 1, "doctor")]
    [InlineData("doctor --th", 2, "--threads")]
    [InlineData("completion ba", 2, "bash")]
    [InlineData("help comp", 2, "completion")]
    public void BashOffersWhatFits(string line, int word, string expected)
    {
        // Calls the function as bash does when the tabulator key is pressed after "puna LINE".
        string call = $"{Script("bash")}\nCOMP_WORDS=(puna {(line.Length == 0 ? "''" : line)}); COMP_CWORD={word}; _puna; printf '%s\\n' \"${{COMPREPLY[@]}}\"";
        (int code, string output) = Execute("bash", "--norc", "-c", call);
        Assert.Equal(0, code);
        Assert.Contains(expected, output.Split('\n', StringSplitOptions.TrimEntries));
    }

    private static string Script(string shell) => shell switch
    {
        "bash" => BashCompletion.Script(Commands),
        "zsh" => ZshCompletion.Script(Commands),
        "fish" => FishCompletion.Script(Commands),
        _ => PowerShellCompletion.Script(Commands),
    };

    private static (int Code, string Output) Execute(string program, params string[] args)
    {
        Process? process = null;
        try
        {
            process = Process.Start(new ProcessStartInfo(program, args) { RedirectStandardOutput = true, RedirectStandardError = true });
        }
        catch (System.ComponentModel.Win32Exception)
        {
            Assert.Skip($"needs {program}");
        }

        using (process)
        {
            Task<string> error = process!.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
            string output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return (process.ExitCode, output + error.Result);
        }
    }
}
