using Puna.Tensors;

namespace Puna.Runtime.Constraints.Machines;

/// <summary>The readings one request has left.</summary>
internal sealed class MachineState : ConstraintState
{
    private readonly LazyAutomaton _automaton;
    private Configuration[] _configurations;
    private bool _ended;
    private long _steps;
    private long _masks;

    public MachineState(LazyAutomaton automaton)
    {
        _automaton = automaton;
        _configurations = automaton.Start();
    }

    private MachineState(MachineState other) =>
        (_automaton, _configurations, _ended, _steps, _masks) = (other._automaton, other._configurations, other._ended, other._steps, other._masks);

    /// <summary>Steps taken so far.</summary>
    public long Steps => _steps;

    public override bool IsAccepting => _ended || _automaton.IsAccepting(_configurations);

    public override bool IsFinished
    {
        get
        {
            if (_ended)
            {
                return true;
            }

            int steps = 0;
            bool isFinished = _automaton.IsFinished(_configurations, ref steps);
            Spend(steps);
            return isFinished;
        }
    }

    public override void FillMask(Span<uint> mask)
    {
        if (_ended)
        {
            mask.Clear();
            return;
        }

        _masks++;
        Spend(_automaton.FillMask(_configurations, mask));
    }

    public override bool TryAccept(int token)
    {
        VocabularyTrie vocabulary = _automaton.Vocabulary;
        if (_ended || token < 0 || token >= vocabulary.VocabularySize)
        {
            return false;
        }

        if (vocabulary.IsEnd(token))
        {
            return _ended = _automaton.IsAccepting(_configurations);
        }

        ReadOnlySpan<byte> bytes = vocabulary.TokenBytes(token);
        Configuration[] configurations = _configurations;
        int steps = 0;
        foreach (byte b in bytes)
        {
            configurations = _automaton.Step(configurations, b, ref steps);
            if (configurations.Length == 0)
            {
                return false;
            }
        }

        if (bytes.Length == 0)
        {
            return false;
        }

        Spend(steps);
        _configurations = configurations;
        return true;
    }

    private void Spend(int steps)
    {
        ConstraintLimits limits = _automaton.Limits;
        _steps += steps;
        if (_steps > limits.MaxTextSteps + (_masks * limits.MeanMaskSteps))
        {
            throw new PunaException($"constraint: expected masks of at most {limits.MeanMaskSteps} steps in the mean, got more after {_masks}: it has too many ways to go on (constraint)");
        }
    }

    public override ConstraintState Clone() => new MachineState(this);
}
