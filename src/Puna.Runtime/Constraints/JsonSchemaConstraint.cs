using Puna.Runtime.Constraints.Machines;
using Puna.Runtime.Constraints.Schema;
using Puna.Tensors;

namespace Puna.Runtime.Constraints;

/// <summary>Text that is JSON and fulfils a JSON Schema. Whatever is not enforced is refused by name: see docs/constraints.md.</summary>
public sealed class JsonSchemaConstraint : IMeasuredConstraint
{
    private readonly LazyAutomaton _automaton;

    private JsonSchemaConstraint(LazyAutomaton automaton) => _automaton = automaton;

    /// <summary>Compiles a schema. Refuses with a message that names the keyword and where it stands; ends within the limits whatever the text is.</summary>
    public static JsonSchemaConstraint Compile(string schema, VocabularyTrie vocabulary, ConstraintLimits? limits = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(schema);
        ArgumentNullException.ThrowIfNull(vocabulary);
        limits ??= ConstraintLimits.Default;
        try
        {
            SchemaNode root = SchemaCompiler.Compile(schema, new CompileBudget(limits, cancellation));
            return new(new LazyAutomaton(new JsonMachine(root, limits), vocabulary, limits));
        }
        catch (Exception error) when (error is InvalidOperationException or FormatException or OverflowException)
        {
            // A keyword of the wrong kind that no check above names.
            throw new PunaException($"schema: expected keywords of the kinds JSON Schema gives them, got {error.Message} (JSON Schema)", error);
        }
    }

    /// <inheritdoc/>
    long IMeasuredConstraint.MetBytes => _automaton.Bytes;

    /// <inheritdoc/>
    public ConstraintState Start() => new MachineState(_automaton);
}
