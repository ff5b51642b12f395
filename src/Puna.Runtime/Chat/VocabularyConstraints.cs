using Puna.Runtime.Constraints;
using Puna.Text;

namespace Puna.Runtime.Chat;

/// <summary>Compiles constraints for the vocabulary of one model. The vocabulary is prepared when the first one is asked for.</summary>
internal sealed class VocabularyConstraints(Tokenizer tokenizer, int vocabulary, IReadOnlyList<int> stopIds) : IConstraintCompiler
{
    // Nodes and tables; what grows with the texts that are met is counted where it grows.
    private const long BytesPerConstraint = 1L << 20;

    private readonly Lazy<VocabularyTrie> _vocabulary = new(() =>
    {
        // Also tokens that only the chat format names end a text.
        var bytes = new byte[Math.Min(vocabulary, tokenizer.VocabularySize)][];
        for (int token = 0; token < bytes.Length; token++)
        {
            bytes[token] = tokenizer.IsSpecial(token) ? [] : tokenizer.TokenBytes(token).ToArray();
        }

        return VocabularyTrie.Create(bytes, [.. stopIds.Where(id => id < bytes.Length)]);
    });

    // The caller's token ends what takes too long, so that it knows which that was.
    private readonly ConstraintLimits _limits = ConstraintLimits.Default with { MaxCompileTime = TimeSpan.MaxValue };

    /// <inheritdoc/>
    public void Prepare() => _ = _vocabulary.Value;

    /// <inheritdoc/>
    public (ITokenConstraint Constraint, long Bytes) Compile(ReplyFormatKind kind, string definition, CancellationToken cancel)
    {
        ITokenConstraint constraint = kind switch
        {
            ReplyFormatKind.JsonObject => JsonSchemaConstraint.Compile("""{"type":"object"}""", _vocabulary.Value, _limits, cancel),
            ReplyFormatKind.JsonSchema => JsonSchemaConstraint.Compile(definition, _vocabulary.Value, _limits, cancel),
            ReplyFormatKind.Regex => RegexConstraint.Compile(definition, _vocabulary.Value, _limits, cancel),
            _ => GrammarConstraint.Compile(definition, _vocabulary.Value, _limits, cancel),
        };
        return (constraint, BytesPerConstraint + (2L * definition.Length));
    }
}
