namespace Puna.Training.Data.Altiplano;

/// <summary>The time of the year.</summary>
internal enum Season
{
    Spring,
    Rainy,
    Autumn,
    Winter,
}
