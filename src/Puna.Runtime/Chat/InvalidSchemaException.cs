using Puna.Tensors;

namespace Puna.Runtime.Chat;

/// <summary>A JSON schema that a request asks to be followed is none, says what is not enforced, or costs too much.</summary>
/// <param name="part">What of the request has the schema: <see cref="Format"/> or <see cref="Tools"/>.</param>
/// <param name="message">One line.</param>
/// <param name="inner">The cause.</param>
public sealed class InvalidSchemaException(string part, string message, Exception? inner = null) : PunaException(message, inner)
{
    /// <summary>The form of the reply.</summary>
    public const string Format = "response_format";

    /// <summary>The arguments of tools.</summary>
    public const string Tools = "tools";

    /// <summary>What of the request has the schema.</summary>
    public string Part { get; } = part;
}
