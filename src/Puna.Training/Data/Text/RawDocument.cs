namespace Puna.Training.Data;

/// <summary>A document as a file has it.</summary>
/// <param name="Text">Its characters; ill-formed UTF-8 became U+FFFD.</param>
/// <param name="Source">What the file says about where it is from, or null.</param>
/// <param name="Language">What the file says about its language, or null.</param>
/// <param name="Line">Line it begins at, from 1.</param>
/// <param name="Repaired">Whether there was ill-formed UTF-8 in it.</param>
/// <param name="Problem">Why the line is no document, where the reader was told to pass such lines on; the text is empty then.</param>
public sealed record RawDocument(string Text, string? Source, string? Language, long Line, bool Repaired, string? Problem = null);
