namespace Puna.Safety.CodeScan;

/// <summary>The languages the scanner has rules for.</summary>
public enum CodeLanguage
{
    /// <summary>Python.</summary>
    Python,

    /// <summary>C, and what of it C++ shares.</summary>
    C,

    /// <summary>C#.</summary>
    CSharp,

    /// <summary>JavaScript and TypeScript.</summary>
    JavaScript,

    /// <summary>SQL of any dialect.</summary>
    Sql,

    /// <summary>Shell scripts.</summary>
    Shell,
}
