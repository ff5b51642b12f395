using Puna.Tensors;

namespace Puna.Runtime.Chat;

/// <summary>A picture of a conversation cannot be shown to the model: it is none, is damaged or beyond the limits, or nobody here sees it.</summary>
/// <param name="message">One line.</param>
/// <param name="inner">The cause, if there is one.</param>
public sealed class InvalidImageException(string message, Exception? inner = null) : PunaException(message, inner);
