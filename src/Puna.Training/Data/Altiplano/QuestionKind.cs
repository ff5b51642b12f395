namespace Puna.Training.Data.Altiplano;

/// <summary>What a question asks for.</summary>
public enum QuestionKind
{
    /// <summary>A person or a llama.</summary>
    Who,

    /// <summary>A place.</summary>
    Where,

    /// <summary>A number.</summary>
    HowMany,

    /// <summary>A cause.</summary>
    Why,

    /// <summary>A thing, a deed, a quality.</summary>
    What,
}
