using Puna.Runtime.Constraints.Automata;

namespace Puna.Runtime.Constraints.Machines;

/// <summary>Reads UTF-8 that an automaton accepts.</summary>
internal sealed class RegexMachine(CodePointDfa dfa) : ByteMachine
{
    public override void Start(List<Configuration> output) => output.Add(new(null, 0, null, 0));

    public override bool IsAccepting(Configuration configuration) => configuration.Partial == 0 && dfa.Accepting[configuration.Q];

    public override (int Count, bool Exact) Coverage(Configuration configuration) => configuration.Partial == 0 ? (dfa.Coverage(configuration.Q), dfa.CountsOnly) : (0, false);

    public override int Step(Configuration from, byte b, bool exact, List<Configuration> output)
    {
        long partial = from.Partial;
        int read = CharacterDecoder.Read(ref partial, b, false);
        if (read >= 0)
        {
            int next = dfa.Step(from.Q, read);
            if (next >= 0)
            {
                output.Add(new(null, 0, null, next));
            }
        }
        else if (read == CharacterDecoder.Pending)
        {
            ((int Low, int High) first, (int Low, int High) second) = CharacterDecoder.Ranges(partial);
            if (dfa.AnyFrom(from.Q, first.Low, first.High) || (second.High >= 0 && dfa.AnyFrom(from.Q, second.Low, second.High)))
            {
                output.Add(new(null, 0, null, from.Q, partial));
            }
        }

        return 0;
    }
}
