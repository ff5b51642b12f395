namespace Puna.Safety.CodeScan;

/// <summary>Code in a reply.</summary>
/// <param name="Tag">What stands behind the fence: usually the language; may be empty.</param>
/// <param name="Code">The code.</param>
/// <param name="Line">Line of the reply the code begins in, from 1.</param>
public sealed record CodeBlock(string Tag, string Code, int Line);
