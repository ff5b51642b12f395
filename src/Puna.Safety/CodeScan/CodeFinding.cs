namespace Puna.Safety.CodeScan;

/// <summary>Insecure code that was found.</summary>
/// <param name="Rule">What it is.</param>
/// <param name="Language">The language it was read in.</param>
/// <param name="Line">Its line, from 1, in the text that was scanned.</param>
/// <param name="Excerpt">The line.</param>
public sealed record CodeFinding(CodeRule Rule, CodeLanguage Language, int Line, string Excerpt);
