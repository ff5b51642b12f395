using Puna.Runtime.Constraints.Automata;
using Puna.Runtime.Constraints.Machines;
using Puna.Tensors;

namespace Puna.Runtime.Constraints;

/// <summary>Text all of which matches a regular expression (the regular part of ECMAScript's, with the flag u).</summary>
public sealed class RegexConstraint : IMeasuredConstraint
{
    private readonly LazyAutomaton _automaton;

    private RegexConstraint(LazyAutomaton automaton) => _automaton = automaton;

    /// <summary>Compiles an expression. Look-around, back-references and word boundaries are refused by name.</summary>
    public static RegexConstraint Compile(string pattern, VocabularyTrie vocabulary, ConstraintLimits? limits = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(pattern);
        ArgumentNullException.ThrowIfNull(vocabulary);
        limits ??= ConstraintLimits.Default;
        if (pattern.Length > limits.MaxTextLength)
        {
            throw new PunaException($"regular expression: expected at most {limits.MaxTextLength} characters, got {pattern.Length} (regex constraint)");
        }

        CodePointDfa dfa = RegexCompiler.Compile(pattern, false, new CompileBudget(limits, cancellation), "regex constraint");
        if (dfa.IsEmpty)
        {
            throw new PunaException($"regular expression {pattern}: expected one that some text matches, got one that none does (regex constraint)");
        }

        // Part of compiling, not of the first mask.
        dfa.Coverage(0);
        return new(new LazyAutomaton(new RegexMachine(dfa), vocabulary, limits));
    }

    /// <inheritdoc/>
    long IMeasuredConstraint.MetBytes => _automaton.Bytes;

    /// <inheritdoc/>
    public ConstraintState Start() => new MachineState(_automaton);
}
