using Puna.Runtime.Constraints.Automata;
using Puna.Tensors;

namespace Puna.Runtime.Constraints.Machines;

/// <summary>Reads text that a context-free grammar without left recursion produces. The frame on top of every reading awaits a character.</summary>
internal sealed class GrammarMachine(GrammarRules rules, ConstraintLimits limits) : ByteMachine
{
    // Rules entered, and ranges of characters looked at, that cost about as much as a step.
    private const int RulesPerStep = 4;
    private const int RangesPerStep = 64;

    public override void Start(List<Configuration> output)
    {
        foreach (GrammarSymbol[] sequence in rules.Rules[0])
        {
            Advance(null, sequence, 0, output);
        }
    }

    public override int Weight(Configuration configuration) =>
        configuration.Frame is GrammarFrame frame ? 1 + (frame.Sequence[frame.Position].Points!.Ranges.Count / RangesPerStep) : 1;

    public override bool IsAccepting(Configuration configuration) => configuration.Frame is null;

    public override int Step(Configuration from, byte b, bool exact, List<Configuration> output)
    {
        if (from.Frame is not GrammarFrame frame)
        {
            return 0;
        }

        CodePointSet points = frame.Sequence[frame.Position].Points!;
        long partial = from.Partial;
        int read = CharacterDecoder.Read(ref partial, b, false);
        if (read >= 0)
        {
            return Contains(points, read, read) ? Advance(frame.Parent, frame.Sequence, frame.Position + 1, output) / RulesPerStep : 0;
        }

        if (read == CharacterDecoder.Pending)
        {
            ((int Low, int High) first, (int Low, int High) second) = CharacterDecoder.Ranges(partial);
            if (Contains(points, first.Low, first.High) || (second.High >= 0 && Contains(points, second.Low, second.High)))
            {
                output.Add(new(frame, 0, null, 0, partial));
            }
        }

        return 0;
    }

    private static bool Contains(CodePointSet points, int low, int high)
    {
        foreach ((int from, int to) in points.Ranges)
        {
            if (from <= high && to >= low)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Follows rules until a character is awaited or the text is complete. Without left recursion this ends; a tail that is done leaves no frame.</summary>
    /// <returns>How many rules were entered.</returns>
    private int Advance(Frame? parent, GrammarSymbol[] sequence, int position, List<Configuration> output)
    {
        var todo = new Stack<(Frame? Parent, GrammarSymbol[] Sequence, int Position)>();
        var seen = new HashSet<Configuration>();
        todo.Push((parent, sequence, position));
        while (todo.TryPop(out (Frame? Parent, GrammarSymbol[] Sequence, int Position) item))
        {
            (parent, sequence, position) = item;
            if (position == sequence.Length)
            {
                if (parent is GrammarFrame frame)
                {
                    todo.Push((frame.Parent, frame.Sequence, frame.Position));
                }
                else
                {
                    output.Add(new(null, 1, null, 0));
                }

                continue;
            }

            var here = new GrammarFrame(parent, sequence, position);
            if (!seen.Add(new(here, 0, null, 0)) || here.Depth > limits.MaxTextDepth)
            {
                continue;
            }

            if (seen.Count > 64 * limits.MaxConfigurations)
            {
                throw new PunaException($"readings of the text: expected at most {64 * limits.MaxConfigurations}, got more (grammar constraint)");
            }

            if (sequence[position].Points is not null)
            {
                output.Add(new(here, 0, null, 0));
                continue;
            }

            // The last rule of a sequence needs no way back: repetition does not grow the stack.
            Frame? back = position + 1 < sequence.Length ? new GrammarFrame(parent, sequence, position + 1) : parent;
            foreach (GrammarSymbol[] inner in rules.Rules[sequence[position].Rule])
            {
                todo.Push((back, inner, 0));
            }
        }

        return seen.Count;
    }
}
