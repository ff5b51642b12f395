namespace Puna.Training.Data.Altiplano;

/// <summary>How old somebody is.</summary>
internal enum Age
{
    Child,
    Young,
    Grown,
    Old,
}
