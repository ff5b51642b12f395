using Puna.Tensors;

namespace Puna.Text.Splitting.Patterns;

/// <summary>
/// A regular expression over Unicode scalars of UTF-8 text, with the semantics tokenizer files rely on: the leftmost match, alternatives in their order, back-tracking.
/// It keeps its own stack and counts its steps, so that neither a pattern nor a text can overflow the stack or run without end. Immutable and thread-safe.
/// </summary>
/// <remarks>Used for patterns without a hand-written <see cref="PieceScanner"/>. <c>^</c> and <c>$</c> are those of lines, as in Oniguruma.</remarks>
internal sealed class SplitPattern
{
    private readonly PatternStep[] _steps;
    private readonly string _text;

    /// <summary>Compiles a pattern.</summary>
    /// <exception cref="PunaException">The pattern is malformed, or has something that is not known.</exception>
    public SplitPattern(string pattern)
    {
        _text = pattern;
        _steps = PatternProgram.Compile(PatternParser.Parse(pattern));
    }

    /// <summary>A pattern that matches a text literally.</summary>
    public static SplitPattern Literal(string text) =>
        new(string.Concat(text.EnumerateRunes().Select(static r => $"\\x{{{r.Value:X}}}")));

    /// <inheritdoc/>
    public override string ToString() => _text;

    /// <summary>The first match at or after <paramref name="at"/>.</summary>
    /// <returns>Its start, or -1.</returns>
    /// <exception cref="PunaException">The pattern back-tracks without end on this text.</exception>
    public int Find(ReadOnlySpan<byte> text, int at, PatternScratch scratch, out int length)
    {
        while (true)
        {
            int end = Match(text, at, 0, scratch);
            if (end >= 0)
            {
                length = end - at;
                return at;
            }

            if (at >= text.Length)
            {
                length = 0;
                return -1;
            }

            at += Utf8Text.Length(text[at]);
        }
    }

    /// <summary>
    /// Steps that may be spent on a text of this many bytes, about a second for a short one. Patterns in use need less than 20 per byte; some need more on odd texts.
    /// </summary>
    public static long Budget(int bytes) => 100_000_000 + (200L * bytes);

    /// <summary>The end of the match that starts exactly at <paramref name="at"/> and at the step <paramref name="pc"/>, or -1.</summary>
    private int Match(ReadOnlySpan<byte> text, int at, int pc, PatternScratch scratch)
    {
        // Places noted before belong to the match this one is a part of.
        int floor = scratch.Count;
        while (true)
        {
            if (--scratch.Budget < 0)
            {
                throw new PunaException($"split pattern {_text}: expected to match in few steps, got no end of back-tracking");
            }

            PatternStep step = _steps[pc];
            bool ok = true;
            switch (step.Op)
            {
                case PatternOp.Done:
                    scratch.Count = floor;
                    return at;
                case PatternOp.Set:
                    ok = at < text.Length && step.Set!.Contains(Utf8Text.Scalar(text, at, out int length)) && Forward(ref at, length);
                    pc++;
                    break;
                case PatternOp.Run:
                    ok = Run(text, ref at, step, pc + 1, scratch);
                    pc++;
                    break;
                case PatternOp.Fork:
                    scratch.Push(step.B, at, -1);
                    pc = step.A;
                    break;
                case PatternOp.Jump:
                    pc = step.A;
                    break;
                case PatternOp.Look:
                    ok = Match(text, at, pc + 1, scratch) >= 0 != step.Negative;
                    pc = step.A;
                    break;
                case PatternOp.Behind:
                    ok = (at > 0 && step.Set!.Contains(Utf8Text.Scalar(text, Utf8Text.Previous(text, at), out _))) != step.Negative;
                    pc++;
                    break;
                case PatternOp.Atomic:
                    int end = Match(text, at, pc + 1, scratch);
                    ok = end >= 0;
                    at = end;
                    pc = step.A;
                    break;
                case PatternOp.Place:
                    ok = IsPlace(text, at, (char)step.A);
                    pc++;
                    break;
            }

            if (!ok && !Back(text, scratch, floor, ref pc, ref at))
            {
                return -1;
            }
        }
    }

    private static bool Forward(ref int at, int length)
    {
        at += length;
        return true;
    }

    private static bool Run(ReadOnlySpan<byte> text, ref int at, PatternStep step, int next, PatternScratch scratch)
    {
        int count = 0, least = at, most = step.Mode == RepeatMode.Lazy ? step.A : step.B;
        int end = at;
        while ((most < 0 || count < most) && end < text.Length && step.Set!.Contains(Utf8Text.Scalar(text, end, out int length)))
        {
            end += length;
            count++;
            least = count == step.A ? end : least;
        }

        scratch.Budget -= count;
        if (count < step.A)
        {
            return false;
        }

        at = end;
        if (step.Mode == RepeatMode.Greedy && end > least)
        {
            scratch.Push(next, end, least);
        }
        else if (step.Mode == RepeatMode.Lazy && step.B != step.A)
        {
            scratch.Push(next, end, least, step.Set, step.B < 0 ? -1 : step.B - step.A);
        }

        return true;
    }

    private static bool Back(ReadOnlySpan<byte> text, PatternScratch scratch, int floor, ref int pc, ref int at)
    {
        while (scratch.TryPop(floor, out PatternScratch.Frame frame))
        {
            pc = frame.Step;
            at = frame.At;
            if (frame.Lazy is CodePointSet set)
            {
                if (at >= text.Length || !set.Contains(Utf8Text.Scalar(text, at, out int length)))
                {
                    continue;
                }

                at += length;
                if (frame.More != 1)
                {
                    scratch.Push(pc, at, frame.Least, set, frame.More < 0 ? -1 : frame.More - 1);
                }
            }
            else if (frame.Least >= 0)
            {
                at = Utf8Text.Previous(text, at);
                if (at > frame.Least)
                {
                    scratch.Push(pc, at, frame.Least);
                }
            }

            return true;
        }

        return false;
    }

    private static bool IsPlace(ReadOnlySpan<byte> text, int at, char kind) => kind switch
    {
        '^' => at == 0 || (text[at - 1] == '\n' && at < text.Length),
        '$' => at == text.Length || text[at] == '\n',
        'A' => at == 0,
        'z' => at == text.Length,
        'Z' => at == text.Length || (at == text.Length - 1 && text[at] == '\n'),
        _ => kind == 'b' == (IsWord(text, at) != (at > 0 && IsWord(text, Utf8Text.Previous(text, at)))),
    };

    private static bool IsWord(ReadOnlySpan<byte> text, int at) => at < text.Length && CodePointSet.Word.Contains(Utf8Text.Scalar(text, at, out _));
}
