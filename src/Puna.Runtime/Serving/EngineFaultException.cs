using Puna.Tensors;

namespace Puna.Runtime.Serving;

/// <summary>An engine could not compute what it was asked for, through no fault of the request: a pass failed or hung, or the engine has ended by an error.</summary>
/// <param name="message">One line.</param>
/// <param name="inner">The cause, if there is one.</param>
public sealed class EngineFaultException(string message, Exception? inner = null) : PunaException(message, inner);
