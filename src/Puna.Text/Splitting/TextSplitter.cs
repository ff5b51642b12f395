using Puna.Text.Splitting.Patterns;

namespace Puna.Text.Splitting;

/// <summary>Steps of cutting, each applied to every part that the one before left. Immutable and thread-safe.</summary>
internal sealed class TextSplitter(IReadOnlyList<SplitStep> steps)
{
    /// <summary>The only step where it is a hand-written pattern: pieces can then be taken one by one without a list.</summary>
    public PieceScanner? Scanner { get; } = steps is [SplitStep.ByScanner only] ? only.Scanner : null;

    /// <summary>Whether a text is never cut.</summary>
    public bool IsWhole => steps.Count == 0;

    /// <summary>The parts of a text, in order.</summary>
    public List<(int Start, int End)> Split(ReadOnlySpan<byte> text)
    {
        var scratch = new PatternScratch(SplitPattern.Budget(text.Length));
        List<(int Start, int End)> parts = [(0, text.Length)];
        foreach (SplitStep step in steps)
        {
            var finer = new List<(int Start, int End)>(parts.Count * 2);
            foreach ((int start, int end) in parts)
            {
                step.Split(text, start, end, finer, scratch);
            }

            parts = finer;
        }

        return parts;
    }
}
