namespace Puna.Cli.Hosting;

/// <summary>The keys of the console.</summary>
internal sealed class ConsoleKeyboard : IKeyboard
{
    private const int Usual = 80;

    /// <inheritdoc/>
    public int Columns
    {
        get
        {
            try
            {
                return Console.WindowWidth > 0 ? Console.WindowWidth : Usual;
            }
            catch (IOException)
            {
                return Usual;
            }
        }
    }

    /// <inheritdoc/>
    public bool HasKey => Console.KeyAvailable;

    /// <inheritdoc/>
    public ConsoleKeyInfo Read() => Console.ReadKey(intercept: true);
}
