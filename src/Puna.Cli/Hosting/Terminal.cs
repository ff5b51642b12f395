using System.Text;

namespace Puna.Cli.Hosting;

/// <summary>The three standard streams, in UTF-8 without a byte order mark on every system. Results go to <see cref="Out"/>, all else to <see cref="Error"/>.</summary>
internal sealed class Terminal
{
    private const int BufferSize = 1 << 16;

    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false);

    private readonly Func<TextReader> _openInput;
    private TextReader? _input;
    private LineEditor? _editor;

    /// <summary>Creates a terminal over given streams, for tests.</summary>
    /// <param name="output">The result.</param>
    /// <param name="error">Errors.</param>
    /// <param name="input">What the user types.</param>
    /// <param name="isTerminal">Whether somebody types and reads; progress is not shown all the same.</param>
    public Terminal(TextWriter output, TextWriter error, TextReader input, bool isTerminal = false)
        : this(output, error, () => input) => IsOutTerminal = IsInTerminal = isTerminal;

    private Terminal(TextWriter output, TextWriter error, Func<TextReader> openInput)
    {
        Out = output;
        Error = error;
        _openInput = openInput;
    }

    /// <summary>The result of the command. Buffered: flush after what a reader waits for.</summary>
    public TextWriter Out { get; }

    /// <summary>Errors and progress; flushed after every write.</summary>
    public TextWriter Error { get; }

    /// <summary>What the user types or pipes in; opened when first used.</summary>
    public TextReader In => _input ??= _openInput();

    /// <summary>Where keys are edited here; null where lines are simply read.</summary>
    public IKeyboard? Keyboard { get; init; }

    /// <summary>Reads what the user types: with editing and history where there is a <see cref="Keyboard"/>.</summary>
    /// <param name="prompt">Shown where somebody types and reads.</param>
    /// <returns>A line without its end; null at the end of the input.</returns>
    public string? ReadLine(string prompt)
    {
        if (Keyboard is not null)
        {
            return (_editor ??= new LineEditor(Keyboard, Out)).Read(prompt);
        }

        if (!IsTyped)
        {
            return In.ReadLine();
        }

        Out.Write(prompt);
        Out.Flush();
        string? line = In.ReadLine();
        if (line is null)
        {
            Out.WriteLine();
        }

        return line;
    }

    /// <summary>Ends the row in which <see cref="ReadLine"/> waits, where the process is about to end: what the shell prints next begins a line.</summary>
    public void LeaveLine()
    {
        if (_editor is not null)
        {
            _editor.Leave();
        }
        else if (IsTyped)
        {
            Out.WriteLine();
            Out.Flush();
        }
    }

    /// <summary>Whether somebody types into <see cref="In"/> and looks at <see cref="Out"/>.</summary>
    public bool IsTyped => IsInTerminal && IsOutTerminal;

    /// <summary>Whether somebody looks at <see cref="Out"/>.</summary>
    public bool IsOutTerminal { get; private init; }

    /// <summary>Whether somebody looks at <see cref="Error"/>: only then is progress shown.</summary>
    public bool IsErrorTerminal { get; private init; }

    /// <summary>Whether somebody types into <see cref="In"/>.</summary>
    public bool IsInTerminal { get; private init; }

    /// <summary>Columns to write help and tables in.</summary>
    public int Width { get; init; } = 80;

    /// <summary>Opens the streams of this process.</summary>
    public static Terminal OpenStandard()
    {
        UseUtf8OnWindows();
        bool isOutTerminal = !Console.IsOutputRedirected;
        return new Terminal(
            new StreamWriter(PipeOutput.OpenStandardOutput(), Utf8, BufferSize) { AutoFlush = false, NewLine = "\n" },
            new StreamWriter(Console.OpenStandardError(), Utf8, 1024) { AutoFlush = true, NewLine = "\n" },
            OpenInput)
        {
            IsOutTerminal = isOutTerminal,
            IsErrorTerminal = !Console.IsErrorRedirected,
            IsInTerminal = !Console.IsInputRedirected,
            Keyboard = isOutTerminal && CanEdit() ? new ConsoleKeyboard() : null,
            Width = FindWidth(isOutTerminal),
        };
    }

    // The console of Windows edits lines and has a history of its own. Unix systems leave that to the program, and so does the base library there.
    private static bool CanEdit() =>
        !OperatingSystem.IsWindows() && !Console.IsInputRedirected && Environment.GetEnvironmentVariable("TERM") is { Length: > 0 } kind && kind != "dumb";

    // A console is asked for Unicode; anything else is read as bytes, whatever code page the system prefers.
    private static TextReader OpenInput()
    {
        if (Console.IsInputRedirected)
        {
            return new StreamReader(Console.OpenStandardInput(), Utf8, detectEncodingFromByteOrderMarks: true);
        }

        if (OperatingSystem.IsWindows())
        {
            // UTF-16 makes the base library call the console's wide functions, and leaves the console's code page alone.
            Console.InputEncoding = Encoding.Unicode;
        }

        return Console.In;
    }

    private static int FindWidth(bool isTerminal)
    {
        const int Narrowest = 50;
        const int Widest = 120;
        const int Usual = 80;
        int width = Usual;
        if (int.TryParse(Environment.GetEnvironmentVariable("COLUMNS"), out int columns))
        {
            width = columns;
        }
        else if (isTerminal)
        {
            try
            {
                // One column is left free: some consoles break a line that fills its width.
                width = Console.WindowWidth > 0 ? Console.WindowWidth - 1 : Usual;
            }
            catch (Exception e) when (e is IOException or PlatformNotSupportedException)
            {
                width = Usual;
            }
        }

        return Math.Clamp(width, Narrowest, Widest);
    }

    private static void UseUtf8OnWindows()
    {
        if (!OperatingSystem.IsWindows())
        {
            return;
        }

        try
        {
            // The code page belongs to the console, which outlives this command: what was there comes back at the end.
            Encoding before = Console.OutputEncoding;
            if (before.CodePage != Utf8.CodePage)
            {
                Console.OutputEncoding = Utf8;
                AppDomain.CurrentDomain.ProcessExit += (_, _) => Console.OutputEncoding = before;
            }
        }
        catch (IOException)
        {
            // No console: the streams are files or pipes, which get UTF-8 anyway.
        }
    }
}
