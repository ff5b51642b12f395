using System.Text;

namespace Puna.Cli.Hosting;

/// <summary>The three standard streams, in UTF-8 without a byte order mark on every system. Results go to <see cref="Out"/>, all else to <see cref="Error"/>.</summary>
internal sealed class Terminal
{
    private const int BufferSize = 1 << 16;

    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false);

    private readonly Func<TextReader> _openInput;
    private TextReader? _input;

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
            Width = FindWidth(isOutTerminal),
        };
    }

    // A console has line editing; anything else is read as bytes, whatever code page the system prefers.
    private static TextReader OpenInput() =>
        Console.IsInputRedirected ? new StreamReader(Console.OpenStandardInput(), Utf8, detectEncodingFromByteOrderMarks: true) : Console.In;

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
