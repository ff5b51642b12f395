namespace Puna.Cli.Parsing;

/// <summary>What a value names, for shell completion.</summary>
internal enum ValueHint
{
    /// <summary>Free text or a number: nothing to offer.</summary>
    None,

    /// <summary>A file.</summary>
    File,

    /// <summary>A folder.</summary>
    Folder,

    /// <summary>A model: a file, a folder, an embedded name or a name on the hub.</summary>
    Model,

    /// <summary>The name of a command.</summary>
    Command,
}
