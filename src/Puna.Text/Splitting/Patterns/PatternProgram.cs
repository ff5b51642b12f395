using Puna.Tensors;

namespace Puna.Text.Splitting.Patterns;

/// <summary>Kinds of steps of a compiled pattern.</summary>
internal enum PatternOp : byte
{
    /// <summary>One character of a set.</summary>
    Set,

    /// <summary>A run of characters of a set, at least <c>A</c>, at most <c>B</c> (-1: no limit).</summary>
    Run,

    /// <summary>Goes on at <c>A</c>, on failure at <c>B</c>.</summary>
    Fork,

    /// <summary>Goes on at <c>A</c>.</summary>
    Jump,

    /// <summary>The steps from the next to before <c>A</c> must match (or, negative, must not) from here; then goes on at <c>A</c>, at the same place.</summary>
    Look,

    /// <summary>The character before must be (or not be) of the set.</summary>
    Behind,

    /// <summary>The steps from the next to before <c>A</c> match once and for all; goes on at <c>A</c> behind them.</summary>
    Atomic,

    /// <summary>A place, its letter in <c>A</c>.</summary>
    Place,

    /// <summary>The end of the pattern or of a nested part.</summary>
    Done,
}

/// <summary>A step of a compiled pattern.</summary>
internal readonly record struct PatternStep(PatternOp Op, CodePointSet? Set = null, int A = 0, int B = 0, RepeatMode Mode = default, bool Negative = false);

/// <summary>Turns a parsed pattern into steps.</summary>
internal sealed class PatternProgram
{
    private const int MostSteps = 50_000;

    private readonly List<PatternStep> _steps = [];

    private PatternProgram()
    {
    }

    /// <summary>Compiles a pattern.</summary>
    /// <exception cref="PunaException">It needs too many steps.</exception>
    public static PatternStep[] Compile(PatternNode node)
    {
        var program = new PatternProgram();
        program.Emit(node);
        program.Add(new PatternStep(PatternOp.Done));
        return [.. program._steps];
    }

    private int Add(PatternStep step)
    {
        if (_steps.Count == MostSteps)
        {
            throw new PunaException($"split pattern: expected at most {MostSteps} steps, got more");
        }

        _steps.Add(step);
        return _steps.Count - 1;
    }

    private void Emit(PatternNode node)
    {
        switch (node)
        {
            case PatternNode.Set set:
                Add(new PatternStep(PatternOp.Set, set.Members));
                break;
            case PatternNode.Sequence sequence:
                foreach (PatternNode part in sequence.Parts)
                {
                    Emit(part);
                }

                break;
            case PatternNode.Alternatives alternatives:
                EmitAlternatives(alternatives);
                break;
            case PatternNode.Repeat { Part: PatternNode.Set set } run:
                Add(new PatternStep(PatternOp.Run, set.Members, run.Min, run.Max, run.Mode));
                break;
            case PatternNode.Repeat { Mode: RepeatMode.Possessive } possessive:
                EmitNested(PatternOp.Atomic, possessive with { Mode = RepeatMode.Greedy }, negative: false);
                break;
            case PatternNode.Repeat repeat:
                EmitRepeat(repeat);
                break;
            case PatternNode.Look { Behind: true, Part: PatternNode.Set set } look:
                Add(new PatternStep(PatternOp.Behind, set.Members, Negative: look.Negative));
                break;
            case PatternNode.Look look:
                EmitNested(PatternOp.Look, look.Part, look.Negative);
                break;
            case PatternNode.Atomic atomic:
                EmitNested(PatternOp.Atomic, atomic.Part, negative: false);
                break;
            case PatternNode.Place place:
                Add(new PatternStep(PatternOp.Place, A: place.Kind));
                break;
        }
    }

    private void EmitAlternatives(PatternNode.Alternatives alternatives)
    {
        var ends = new List<int>();
        for (int i = 0; i < alternatives.Parts.Count; i++)
        {
            bool last = i == alternatives.Parts.Count - 1;
            int fork = last ? -1 : Add(default);
            Emit(alternatives.Parts[i]);
            if (!last)
            {
                ends.Add(Add(default));
                _steps[fork] = new PatternStep(PatternOp.Fork, A: fork + 1, B: _steps.Count);
            }
        }

        foreach (int end in ends)
        {
            _steps[end] = new PatternStep(PatternOp.Jump, A: _steps.Count);
        }
    }

    private void EmitRepeat(PatternNode.Repeat repeat)
    {
        for (int i = 0; i < repeat.Min; i++)
        {
            Emit(repeat.Part);
        }

        var forks = new List<int>();
        if (repeat.Max < 0)
        {
            int fork = Add(default);
            forks.Add(fork);
            Emit(repeat.Part);
            Add(new PatternStep(PatternOp.Jump, A: fork));
        }

        for (int i = repeat.Min; i < repeat.Max; i++)
        {
            forks.Add(Add(default));
            Emit(repeat.Part);
        }

        foreach (int fork in forks)
        {
            _steps[fork] = repeat.Mode == RepeatMode.Lazy
                ? new PatternStep(PatternOp.Fork, A: _steps.Count, B: fork + 1)
                : new PatternStep(PatternOp.Fork, A: fork + 1, B: _steps.Count);
        }
    }

    private void EmitNested(PatternOp op, PatternNode part, bool negative)
    {
        int start = Add(default);
        Emit(part);
        Add(new PatternStep(PatternOp.Done));
        _steps[start] = new PatternStep(op, A: _steps.Count, Negative: negative);
    }
}
