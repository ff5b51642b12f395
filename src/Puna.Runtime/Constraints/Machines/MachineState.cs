namespace Puna.Runtime.Constraints.Machines;

/// <summary>The readings one request has left.</summary>
internal sealed class MachineState : ConstraintState
{
    private readonly LazyAutomaton _automaton;
    private Configuration[] _configurations;
    private bool _ended;

    public MachineState(LazyAutomaton automaton)
    {
        _automaton = automaton;
        _configurations = automaton.Start();
    }

    private MachineState(MachineState other) => (_automaton, _configurations, _ended) = (other._automaton, other._configurations, other._ended);

    public override bool IsAccepting => _ended || _automaton.IsAccepting(_configurations);

    public override bool IsFinished => _ended || _automaton.IsFinished(_configurations);

    public override void FillMask(Span<uint> mask)
    {
        if (_ended)
        {
            mask.Clear();
            return;
        }

        _automaton.FillMask(_configurations, mask);
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
        foreach (byte b in bytes)
        {
            configurations = _automaton.Step(configurations, b);
            if (configurations.Length == 0)
            {
                return false;
            }
        }

        if (bytes.Length == 0)
        {
            return false;
        }

        _configurations = configurations;
        return true;
    }

    public override ConstraintState Clone() => new MachineState(this);
}
