namespace Puna.Training.Data.Altiplano;

/// <summary>Which part of the endless corpus.</summary>
public enum SplitPart
{
    /// <summary>To train on.</summary>
    Train,

    /// <summary>Held out, to measure on.</summary>
    Test,
}
