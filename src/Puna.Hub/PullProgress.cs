namespace Puna.Hub;

/// <summary>How far a pull has come. Reported at most about ten times a second, and at the beginning and end of each file.</summary>
/// <param name="Stage">What is being done.</param>
/// <param name="File">Name of the file in the repository; empty before the list of files is known.</param>
/// <param name="Index">Number of the file among those of this pull, from 1; 0 before the list is known.</param>
/// <param name="Count">How many files this pull needs; 0 before the list is known.</param>
/// <param name="Bytes">Bytes of this file that are here, those of an earlier, interrupted pull included.</param>
/// <param name="Total">Bytes of the whole file, or null where the hub does not say.</param>
/// <param name="BytesPerSecond">Recent speed, smoothed over about three seconds; 0 when nothing is being transferred.</param>
/// <param name="Note">One line for a person, for example why an attempt is repeated; null mostly.</param>
public readonly record struct PullProgress(
    PullStage Stage, string File, int Index, int Count, long Bytes, long? Total, double BytesPerSecond, string? Note = null);
