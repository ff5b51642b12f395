namespace Puna.Cli.Hosting;

/// <summary>Where a <see cref="LineEditor"/> gets its keys from.</summary>
internal interface IKeyboard
{
    /// <summary>Columns of the terminal.</summary>
    int Columns { get; }

    /// <summary>Whether a key has been pressed that nobody has read yet.</summary>
    bool HasKey { get; }

    /// <summary>Waits for a key, which the terminal does not show.</summary>
    ConsoleKeyInfo Read();
}
