using Puna.Tensors;

namespace Puna.Runtime.Serving;

/// <summary>A prompt, or a prompt with what is to follow, is longer than the model's context.</summary>
/// <param name="message">One line.</param>
public sealed class ContextLengthException(string message) : PunaException(message);
