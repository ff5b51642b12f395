using Puna.Runtime.Constraints;
using Puna.Runtime.Serving;
using Puna.Tensors;
using Puna.Text;

namespace Puna.Runtime.Chat;

/// <summary>Constraints on what a model says: compiled for its vocabulary within a time, and kept for the next request within a number of bytes. Thread-safe.</summary>
public sealed class ReplyConstraints
{
    private const long CacheBytes = 256L << 20;
    private static readonly TimeSpan CompileBudget = TimeSpan.FromSeconds(2);

    /// <summary>Prepares; the vocabulary is read when the first constraint is asked for.</summary>
    /// <param name="engine">An engine with the model.</param>
    /// <exception cref="PunaException">The model has no tokenizer.</exception>
    public ReplyConstraints(Engine engine)
        : this(engine, engine.Model.StopIds, null)
    {
    }

    internal ReplyConstraints(Engine engine, IEnumerable<int> stopIds, IConstraintCompiler? compiler)
    {
        Tokenizer tokenizer = engine.Model.Tokenizer ?? throw new PunaException($"model {engine.Model.Checkpoint.Path}: expected a tokenizer, got none");
        Cache = new ConstraintCache(compiler ?? new VocabularyConstraints(tokenizer, engine.Model.Llama.Output.Weight.Out, [.. stopIds]), CacheBytes, CompileBudget, TimeProvider.System);
    }

    /// <summary>Where they are kept.</summary>
    internal ConstraintCache Cache { get; }

    /// <summary>Forgets those that are kept for later requests; those in use go on.</summary>
    public void Clear() => Cache.Clear();

    /// <summary>The constraint of a format, or null where it is text of any kind.</summary>
    /// <param name="format">The format.</param>
    /// <param name="cancel">Stops the compilation.</param>
    /// <exception cref="InvalidSchemaException">It is a JSON schema that cannot be compiled, or not within the time; the message says why.</exception>
    /// <exception cref="PunaException">The same of anything else, or it has no definition.</exception>
    public ITokenConstraint? Of(ReplyFormat format, CancellationToken cancel = default) => Of(format, null, cancel);

    internal ITokenConstraint? Of(ReplyFormat format, CompileAllowance? allowance, CancellationToken cancel)
    {
        if (format.Kind == ReplyFormatKind.Text)
        {
            return null;
        }

        string definition = format.Kind == ReplyFormatKind.JsonObject ? "" : format.Definition ?? throw new PunaException($"response format: expected a definition of the {format.Kind}, got none");
        try
        {
            return Cache.Get(format.Kind, definition, cancel, allowance);
        }
        catch (PunaException e) when (format.Kind == ReplyFormatKind.JsonSchema)
        {
            throw new InvalidSchemaException(InvalidSchemaException.Format, e.Message, e);
        }
    }
}
