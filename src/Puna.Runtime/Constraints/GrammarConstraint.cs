using Puna.Runtime.Constraints.Machines;
using Puna.Tensors;

namespace Puna.Runtime.Constraints;

/// <summary>Text that a context-free grammar in llama.cpp's notation (GBNF) produces from its rule <c>root</c>.</summary>
public sealed class GrammarConstraint : IMeasuredConstraint
{
    private readonly LazyAutomaton _automaton;

    private GrammarConstraint(LazyAutomaton automaton) => _automaton = automaton;

    /// <summary>Compiles a grammar. Left recursion, rules without a definition and grammars without a text are refused by name.</summary>
    public static GrammarConstraint Compile(string grammar, VocabularyTrie vocabulary, ConstraintLimits? limits = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(grammar);
        ArgumentNullException.ThrowIfNull(vocabulary);
        limits ??= ConstraintLimits.Default;
        if (grammar.Length > limits.MaxTextLength)
        {
            throw new PunaException($"grammar: expected at most {limits.MaxTextLength} characters, got {grammar.Length} (grammar constraint)");
        }

        GrammarRules rules = GrammarParser.Parse(grammar, new CompileBudget(limits, cancellation));
        return new(new LazyAutomaton(new GrammarMachine(rules, limits), vocabulary, limits));
    }

    /// <inheritdoc/>
    long IMeasuredConstraint.MetBytes => _automaton.Bytes;

    /// <inheritdoc/>
    public ConstraintState Start() => new MachineState(_automaton);
}
