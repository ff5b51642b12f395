namespace Puna.Safety.CodeScan;

/// <summary>What is to be done about a finding.</summary>
public enum CodeSeverity
{
    /// <summary>Show the code and say what is wrong with it.</summary>
    Warn,

    /// <summary>Do not hand the code out.</summary>
    Block,
}
