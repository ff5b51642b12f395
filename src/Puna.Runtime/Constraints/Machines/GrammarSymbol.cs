using Puna.Runtime.Constraints.Automata;

namespace Puna.Runtime.Constraints.Machines;

/// <summary>A step of a rule: a character of a set, or another rule.</summary>
/// <param name="Points">The set, or null for a rule.</param>
/// <param name="Rule">The rule's number.</param>
internal readonly record struct GrammarSymbol(CodePointSet? Points, int Rule);
