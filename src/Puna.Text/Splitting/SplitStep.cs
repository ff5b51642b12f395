using Puna.Text.Splitting.Patterns;

namespace Puna.Text.Splitting;

/// <summary>One step of cutting: a part of the text becomes several. Immutable and thread-safe.</summary>
internal abstract class SplitStep
{
    /// <summary>Cuts <c>text[start..end]</c>, which counts as a text of its own, and appends the parts.</summary>
    public abstract void Split(ReadOnlySpan<byte> text, int start, int end, List<(int Start, int End)> parts, PatternScratch scratch);

    /// <summary>Cuts by a hand-written pattern.</summary>
    internal sealed class ByScanner(PieceScanner scanner) : SplitStep
    {
        /// <summary>The pattern.</summary>
        public PieceScanner Scanner => scanner;

        /// <inheritdoc/>
        public override void Split(ReadOnlySpan<byte> text, int start, int end, List<(int Start, int End)> parts, PatternScratch scratch)
        {
            ReadOnlySpan<byte> part = text[start..end];
            for (int at = 0; at < part.Length;)
            {
                int next = scanner.Next(part, at);
                parts.Add((start + at, start + next));
                at = next;
            }
        }
    }

    /// <summary>Cuts out numbers (<c>\p{N}</c>), each alone or in runs.</summary>
    internal sealed class Numbers(bool each) : SplitStep
    {
        /// <inheritdoc/>
        public override void Split(ReadOnlySpan<byte> text, int start, int end, List<(int Start, int End)> parts, PatternScratch scratch)
        {
            int from = start;
            bool inNumber = false;
            for (int at = start; at < end;)
            {
                bool number = (CharClasses.At(text, at, out int length) & CharClasses.Number) != 0;
                if (at > from && (number != inNumber || (number && each)))
                {
                    parts.Add((from, at));
                    from = at;
                }

                inNumber = number;
                at += length;
            }

            if (from < end)
            {
                parts.Add((from, end));
            }
        }
    }

    /// <summary>Cuts by the matches of any pattern.</summary>
    internal sealed class ByPattern(SplitPattern pattern, SplitBehavior behavior, bool invert) : SplitStep
    {
        /// <inheritdoc/>
        public override void Split(ReadOnlySpan<byte> text, int start, int end, List<(int Start, int End)> parts, PatternScratch scratch)
        {
            var spans = new List<(int Start, int End, bool Match)>();
            ReadOnlySpan<byte> part = text[start..end];
            int last = 0;
            for (int at = 0; at <= part.Length;)
            {
                int found = pattern.Find(part, at, scratch, out int length);
                if (found < 0)
                {
                    break;
                }

                Add(spans, start + last, start + found, invert);
                Add(spans, start + found, start + found + length, !invert);
                last = found + length;
                at = length > 0 ? last : found < part.Length ? found + Utf8Text.Length(part[found]) : part.Length + 1;
            }

            Add(spans, start + last, end, invert);
            Behave(spans, parts);
        }

        private static void Add(List<(int Start, int End, bool Match)> spans, int start, int end, bool match)
        {
            if (end > start)
            {
                spans.Add((start, end, match));
            }
        }

        private void Behave(List<(int Start, int End, bool Match)> spans, List<(int Start, int End)> parts)
        {
            int first = parts.Count;
            bool previous = false;
            if (behavior == SplitBehavior.MergedWithNext)
            {
                for (int i = spans.Count - 1; i >= 0; i--)
                {
                    (int start, int end, bool match) = spans[i];
                    if (match && !previous && parts.Count > first)
                    {
                        parts[^1] = (start, parts[^1].End);
                    }
                    else
                    {
                        parts.Add((start, end));
                    }

                    previous = match;
                }

                parts.Reverse(first, parts.Count - first);
                return;
            }

            foreach ((int start, int end, bool match) in spans)
            {
                bool join = parts.Count > first && behavior switch
                {
                    SplitBehavior.MergedWithPrevious => match && !previous,
                    SplitBehavior.Contiguous => match == previous,
                    _ => false,
                };
                if (join)
                {
                    parts[^1] = (parts[^1].Start, end);
                }
                else if (behavior != SplitBehavior.Removed || !match)
                {
                    parts.Add((start, end));
                }

                previous = match;
            }
        }
    }
}
