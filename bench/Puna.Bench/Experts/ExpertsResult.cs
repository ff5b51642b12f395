namespace Puna.Bench.Experts;

/// <summary>What was measured in one state.</summary>
/// <param name="PrefillSeconds">Time of the prompt.</param>
/// <param name="Milliseconds">Time of each token after it.</param>
/// <param name="BytesRead">Bytes that these tokens read from the disk.</param>
/// <param name="ExpertsUsed">Experts that they were sent to.</param>
internal sealed record ExpertsResult(double PrefillSeconds, double[] Milliseconds, long BytesRead, int ExpertsUsed);
