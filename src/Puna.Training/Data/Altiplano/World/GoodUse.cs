namespace Puna.Training.Data.Altiplano;

/// <summary>What a good is for, which decides how it is used up and how it is lost.</summary>
internal enum GoodUse
{
    /// <summary>Nobody eats it.</summary>
    Thing,

    /// <summary>People eat it.</summary>
    Food,

    /// <summary>People eat it, and so would a goat.</summary>
    Fodder,
}
