namespace Puna.Training.Data.Altiplano;

/// <summary>The ground of a place.</summary>
internal enum Terrain
{
    Village,
    Water,
    Height,
    Plain,
    Building,
    Shelter,
}
