using Puna.Runtime.Constraints;

namespace Puna.Runtime.Chat;

/// <summary>Makes constraints of definitions, for one vocabulary. Thread-safe.</summary>
internal interface IConstraintCompiler
{
    /// <summary>Prepares what all constraints need, which is no part of the time that one of them takes.</summary>
    void Prepare()
    {
    }

    /// <summary>Compiles a definition.</summary>
    /// <param name="kind">What it is; not <see cref="ReplyFormatKind.Text"/>.</param>
    /// <param name="definition">The schema, expression or grammar; empty for <see cref="ReplyFormatKind.JsonObject"/>.</param>
    /// <param name="cancel">Stops the work.</param>
    /// <returns>The constraint, and about how many bytes it keeps before it has met a text.</returns>
    /// <exception cref="Tensors.PunaException">It cannot be compiled; the message says where and why.</exception>
    (ITokenConstraint Constraint, long Bytes) Compile(ReplyFormatKind kind, string definition, CancellationToken cancel);
}
