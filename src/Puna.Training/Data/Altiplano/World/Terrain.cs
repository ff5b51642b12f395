namespace Puna.Training.Data.Altiplano;

/// <summary>The ground of a place.</summary>
internal enum Terrain
{
    Village,
    Water,
    Spring,
    Height,
    Plain,
    Salt,
    Building,
    Shelter,
}
