namespace Puna.Training.Data;

/// <summary>How documents become rows (spec training.md 2.5).</summary>
public enum PackingMode
{
    /// <summary>Documents one after the other, cut where a row ends: every row is full. For pre-training.</summary>
    ConcatSplit,

    /// <summary>No document is split: rows are filled best-fit-decreasing from a window of documents and may end early. For samples that have to stay whole.</summary>
    BestFit,
}
