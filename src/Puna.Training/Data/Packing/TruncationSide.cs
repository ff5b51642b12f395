namespace Puna.Training.Data;

/// <summary>Which end of a sample longer than a row is given up when samples are not split.</summary>
public enum TruncationSide
{
    /// <summary>The end: a sample keeps its beginning.</summary>
    End,

    /// <summary>The beginning: a sample keeps its end.</summary>
    Start,
}
