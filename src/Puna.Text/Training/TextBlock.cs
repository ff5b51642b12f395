namespace Puna.Text.Training;

/// <summary>A stretch of one or more texts, counted by one thread.</summary>
internal sealed class TextBlock
{
    /// <summary>The bytes. In front of every part one byte is free.</summary>
    public byte[] Bytes { get; set; } = [];

    /// <summary>The parts: where each starts and ends, and whether a text starts there rather than goes on.</summary>
    public List<(int Start, int End, bool Begins)> Parts { get; } = [];
}
