namespace Puna.Training.Data.Altiplano;

/// <summary>Kinds of texts of the Altiplano world.</summary>
public enum AltiplanoTexts
{
    /// <summary>Stories.</summary>
    Stories,

    /// <summary>Conversations.</summary>
    Chats,

    /// <summary>Texts of a first reading book.</summary>
    Primers,
}
