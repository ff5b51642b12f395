namespace Puna.Training.Data.Altiplano;

/// <summary>The weather of a day.</summary>
internal enum Weather
{
    Sun,
    Cloud,
    Rain,
    Wind,
    Fog,
    Snow,
    Frost,
    Thunder,
}
