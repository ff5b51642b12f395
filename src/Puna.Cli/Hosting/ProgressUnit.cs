namespace Puna.Cli.Hosting;

/// <summary>What progress is counted in.</summary>
internal enum ProgressUnit
{
    /// <summary>Bytes, with their rate.</summary>
    Bytes,

    /// <summary>Things, as a percentage.</summary>
    Items,
}
