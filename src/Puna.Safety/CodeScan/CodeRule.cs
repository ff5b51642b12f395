using System.Text.RegularExpressions;

namespace Puna.Safety.CodeScan;

/// <summary>A pattern of insecure code.</summary>
/// <param name="Id">Its name.</param>
/// <param name="Languages">Where it is looked for.</param>
/// <param name="Cwe">The weakness it is, by its number in the Common Weakness Enumeration.</param>
/// <param name="Severity">What is to be done.</param>
/// <param name="Title">What the code does.</param>
/// <param name="Advice">What to do instead.</param>
/// <param name="Pattern">What it looks like; matched in time proportional to the code, whatever the code is.</param>
/// <param name="Unless">What on the same lines makes it harmless, or null.</param>
/// <param name="Example">Code that has it.</param>
/// <param name="Fixed">Code that does the same safely.</param>
public sealed record CodeRule(
    string Id, IReadOnlyList<CodeLanguage> Languages, int Cwe, CodeSeverity Severity, string Title, string Advice, Regex Pattern, Regex? Unless, string Example, string Fixed);
