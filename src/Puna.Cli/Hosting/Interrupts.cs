using System.Runtime.InteropServices;

namespace Puna.Cli.Hosting;

/// <summary>
/// Ctrl-C and the request to end. The first one asks the work to stop (in a chat: the reply), so that what there is can be printed and temporary files
/// are removed; the second one ends the process at once.
/// </summary>
internal sealed class Interrupts : IDisposable
{
    private readonly Lock _lock = new();
    private readonly CancellationTokenSource _all = new();
    private readonly List<PosixSignalRegistration> _registrations = [];
    private readonly Action<int> _exit;
    private CancellationTokenSource? _part;
    private bool _isWaiting;
    private Action? _leave;

    /// <summary>Creates an instance that no signal reaches.</summary>
    /// <param name="exit">Ends the process with an exit code; replaced in tests.</param>
    public Interrupts(Action<int>? exit = null) => _exit = exit ?? Environment.Exit;

    /// <summary>Cancelled when the whole command is to stop.</summary>
    public CancellationToken Token => _all.Token;

    /// <summary>Starts to listen to Ctrl-C (SIGINT), to SIGTERM, and to the end of the terminal (SIGHUP), which nohup makes the process ignore.</summary>
    public void Listen()
    {
        Add(PosixSignal.SIGINT, Interrupt);
        Add(PosixSignal.SIGTERM, End);
        Add(PosixSignal.SIGHUP, End);
    }

    /// <summary>Begins a part of the work that Ctrl-C stops alone.</summary>
    /// <returns>Cancelled on Ctrl-C and when the whole command is to stop; valid until <see cref="EndPart"/>.</returns>
    public CancellationToken BeginPart()
    {
        lock (_lock)
        {
            _part?.Dispose();
            _part = CancellationTokenSource.CreateLinkedTokenSource(_all.Token);
            return _part.Token;
        }
    }

    /// <summary>Ends the part: Ctrl-C stops the whole command again.</summary>
    public void EndPart()
    {
        lock (_lock)
        {
            _part?.Dispose();
            _part = null;
        }
    }

    /// <summary>Runs <paramref name="read"/>, which waits for the user and notices no token: meanwhile Ctrl-C ends the process.</summary>
    /// <param name="read">Waits.</param>
    /// <param name="leave">Called before the process ends.</param>
    public T WhileWaiting<T>(Func<T> read, Action? leave = null)
    {
        lock (_lock)
        {
            (_isWaiting, _leave) = (true, leave);
        }

        try
        {
            return read();
        }
        finally
        {
            lock (_lock)
            {
                (_isWaiting, _leave) = (false, null);
            }
        }
    }

    /// <summary>What Ctrl-C does.</summary>
    public void Interrupt() => Stop(onlyPart: true);

    /// <summary>What SIGTERM and SIGHUP do.</summary>
    public void End() => Stop(onlyPart: false);

    /// <inheritdoc/>
    public void Dispose()
    {
        _registrations.ForEach(static r => r.Dispose());
        EndPart();
        _all.Dispose();
    }

    private void Stop(bool onlyPart)
    {
        bool exit;
        Action? leave;
        lock (_lock)
        {
            leave = _leave;
            CancellationTokenSource target = onlyPart && _part is not null ? _part : _all;
            exit = _isWaiting || target.IsCancellationRequested;
            if (!exit)
            {
                target.Cancel();
            }
        }

        if (exit)
        {
            try
            {
                leave?.Invoke();
            }
            catch (Exception e) when (e is IOException or OutputClosedException)
            {
                // The terminal has gone.
            }

            _exit(ExitCodes.Interrupted);
        }
    }

    private void Add(PosixSignal signal, Action action)
    {
        try
        {
            _registrations.Add(PosixSignalRegistration.Create(signal, context =>
            {
                context.Cancel = true;
                action();
            }));
        }
        catch (Exception e) when (e is PlatformNotSupportedException or IOException)
        {
            // Without the signal the system's own way of ending the process is left.
        }
    }
}
