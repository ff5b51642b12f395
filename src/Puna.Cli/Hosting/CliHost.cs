using Puna.Cli.Parsing;

namespace Puna.Cli.Hosting;

/// <summary>Finds the command, runs it, and turns whatever happens into an exit code and at most one line on standard error.</summary>
internal sealed class CliHost(Terminal terminal, Interrupts interrupts)
{
    /// <summary>Runs a command line in this process.</summary>
    public static int RunProcess(string[] args)
    {
        Terminal terminal = Terminal.OpenStandard();
        using var interrupts = new Interrupts();
        interrupts.Listen();
        return new CliHost(terminal, interrupts).Run(args);
    }

    /// <summary>Runs a command line.</summary>
    /// <returns>One of <see cref="ExitCodes"/>.</returns>
    public int Run(string[] args)
    {
        try
        {
            int code = Dispatch(args);
            terminal.Out.Flush();
            return code;
        }
        catch (Exception e)
        {
            return Fail(e);
        }
    }

    private int Dispatch(string[] args)
    {
        if (args.Length == 0 || CommandLine.IsHelp(args[0]))
        {
            terminal.Out.Write(HelpText.Overview(CommandTable.All(), terminal.Width));
            return ExitCodes.Done;
        }

        if (args[0] == "--version")
        {
            terminal.Out.WriteLine($"puna {ProductInfo.Version}");
            return ExitCodes.Done;
        }

        Command command = CommandTable.Find(args[0]);
        ParsedArguments parsed = CommandLine.Parse(command, args.AsSpan(1));
        if (parsed.IsHelp)
        {
            terminal.Out.Write(HelpText.Page(command, terminal.Width));
            return ExitCodes.Done;
        }

        return command.Execute(new CommandContext(parsed, terminal, interrupts));
    }

    private int Fail(Exception e)
    {
        Failure failure = Failure.Of(e);
        try
        {
            if (failure.ExitCode == ExitCodes.Interrupted)
            {
                // What an interrupted command has written so far is its result; after other failures unfinished output is dropped.
                terminal.Out.Flush();
            }

            if (failure.Message is not null)
            {
                terminal.Error.WriteLine("puna: " + failure.Message);
            }

            if (Environment.GetEnvironmentVariable("PUNA_DEBUG") == "1")
            {
                terminal.Error.WriteLine(e.ToString());
            }
        }
        catch (Exception again) when (again is IOException or OutputClosedException or UnauthorizedAccessException)
        {
            // Nobody is left to tell.
        }

        return failure.ExitCode;
    }
}
