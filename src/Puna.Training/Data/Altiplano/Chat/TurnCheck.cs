namespace Puna.Training.Data.Altiplano;

/// <summary>How one reply of a conversation is judged.</summary>
/// <param name="Message">Index of the message, one of the assistant; what stands before it is the prompt.</param>
/// <param name="Check">The judge.</param>
public sealed record TurnCheck(int Message, IReplyCheck Check);
