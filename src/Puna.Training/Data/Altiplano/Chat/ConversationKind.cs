namespace Puna.Training.Data.Altiplano;

/// <summary>What a conversation is about.</summary>
public enum ConversationKind
{
    /// <summary>A story is asked for.</summary>
    Story,

    /// <summary>A question about a story that stands in the conversation.</summary>
    Question,

    /// <summary>A sum, plain or told.</summary>
    Sum,

    /// <summary>A sum that is given to the calculator.</summary>
    Tool,

    /// <summary>A short task with a rule for the form of the reply.</summary>
    Format,

    /// <summary>Talk about the world: what llamas eat, who is speaking.</summary>
    Talk,

    /// <summary>A request that does harm, and is refused.</summary>
    Refusal,
}
