using Puna.Runtime.Constraints.Automata;
using Puna.Runtime.Constraints.Machines;

namespace Puna.Runtime.Constraints.Schema;

/// <summary>Reads JSON that fulfils a schema. Between tokens stands nothing, a space, or a line break with an indentation of bounded width.</summary>
internal sealed class JsonMachine(SchemaNode root, ConstraintLimits limits) : ByteMachine
{
    // Alternatives of a value, and words and names of an open object, that cost about as much as a step.
    private const int BranchesPerStep = 4;
    private const int WordsPerStep = 8;

    /// <summary>Widest indentation after a line break, in spaces.</summary>
    public const int MaxSpaces = 64;

    /// <summary>Widest indentation after a line break, in tabs.</summary>
    public const int MaxTabs = 16;

    // What is read next. Q is the blank space read so far in those with "Blank" in their comment.
    private const int Value = 0;      // a value of Payload; Blank
    private const int Literal = 1;    // the rest of Payload after Q characters
    private const int Number = 2;     // Payload in state Q
    private const int Text = 3;       // Payload in state Q
    private const int Key = 4;        // a name in state Q
    private const int Colon = 5;      // the colon before a value of Payload
    private const int AfterValue = 6; // a comma, or the end of the container; Blank
    private const int FirstItem = 7;  // an item or ]; Blank
    private const int FirstKey = 8;   // a name or }; Blank
    private const int NextKey = 9;    // a name; Blank
    private const int Done = 10;

    private const int NoBlank = -1;
    private const int OneSpace = 1;
    private const int LineBreak = 2;
    private const int Tabs = 500;
    private const int CarriageReturn = 1000;

    public override void Start(List<Configuration> output)
    {
        if (root.Possible)
        {
            output.Add(new(null, Value, root, NoBlank));
        }
    }

    public override bool IsAccepting(Configuration configuration) =>
        configuration.Mode == Done || (configuration is { Mode: Number, Frame: null, Payload: CodePointDfa dfa } && dfa.Accepting[configuration.Q]);

    public override Configuration ForLookahead(Configuration configuration) =>
        configuration.Key is { } key && !Matters(key, ((JsonFrame)configuration.Frame!).Extras)
            ? new(configuration.Frame, configuration.Mode, configuration.Payload, configuration.Q, configuration.Partial)
            : configuration;

    public override (int Count, bool Exact) Coverage(Configuration configuration)
    {
        if (configuration.Partial != 0)
        {
            return (0, false);
        }

        if (configuration is { Mode: Text, Payload: CodePointDfa dfa })
        {
            return (dfa.Coverage(configuration.Q), dfa.CountsOnly);
        }

        return configuration.Mode == Key && ((JsonFrame)configuration.Frame!) is { ExtrasAllowed: true } frame && frame.Object!.Keys.IsCovered(configuration.Q)
            ? (int.MaxValue, false)
            : (0, false);
    }

    public override int Weight(Configuration configuration)
    {
        var frame = (JsonFrame?)configuration.Frame;
        int branches = configuration.Mode switch
        {
            Value => ((SchemaNode)configuration.Payload!).Branches?.Count ?? 0,
            FirstItem => frame!.Array!.Item(frame.Count).Branches?.Count ?? 0,
            _ => 0,
        };
        return 1 + (branches / BranchesPerStep) + (frame is null || configuration.Mode is Text or Literal ? 0 : (frame.Names.Length + frame.Extras.Length) / WordsPerStep);
    }

    public override int Step(Configuration from, byte b, bool exact, List<Configuration> output)
    {
        var frame = (JsonFrame?)from.Frame;
        switch (from.Mode)
        {
            case Value:
                if (Blank(from.Q, b) is >= 0 and int blank)
                {
                    output.Add(new(frame, Value, from.Payload, blank));
                }
                else if (from.Q != CarriageReturn)
                {
                    Begin(frame, (SchemaNode)from.Payload!, b, output);
                }

                break;
            case Literal:
                string literal = (string)from.Payload!;
                if (literal[from.Q] == b)
                {
                    output.Add(from.Q + 1 < literal.Length ? new(frame, Literal, literal, from.Q + 1) : After(frame));
                }

                break;
            case Number:
                var number = (CodePointDfa)from.Payload!;
                if (b < 0x80 && number.Step(from.Q, b) is >= 0 and int next)
                {
                    output.Add(new(frame, Number, number, next));
                }
                else if (number.Accepting[from.Q])
                {
                    Follow(frame, 0, b, exact, output);
                }

                break;
            case Text:
                ReadText(from, frame, b, output);
                break;
            case Key:
                ReadKey(from, frame!, b, exact, output);
                break;
            case Colon:
                if (b == ':')
                {
                    output.Add(new(frame, Value, from.Payload, 0));
                }

                break;
            case AfterValue:
                Follow(frame, from.Q, b, exact, output);
                break;
            case FirstItem:
                if (Blank(from.Q, b) is >= 0 and int spaces)
                {
                    output.Add(new(frame, FirstItem, null, spaces));
                }
                else if (from.Q == CarriageReturn)
                {
                }
                else if (b == ']')
                {
                    Close(frame!, output);
                }
                else if (frame!.MayFollow)
                {
                    Begin(frame.NextItem(), frame.Array!.Item(frame.Count), b, output);
                }

                break;
            case FirstKey or NextKey:
                if (Blank(from.Q, b) is >= 0 and int gap)
                {
                    output.Add(new(frame, from.Mode, null, gap));
                }
                else if (from.Q == CarriageReturn)
                {
                }
                else if (b == '}' && from.Mode == FirstKey)
                {
                    Close(frame!, output);
                }
                else if (b == '"' && frame!.MayFollow)
                {
                    string? key = exact || frame.Extras.Length > 0 ? "" : null;
                    output.Add(new(frame, Key, null, 0, 0, key));
                }

                break;
        }

        return 0;
    }

    /// <summary>The state after one more character of blank space, or -1.</summary>
    private static int Blank(int state, byte b) => (state, b) switch
    {
        (0, (byte)' ') => OneSpace,
        (0, (byte)'\n') => LineBreak,
        (0, (byte)'\r') => CarriageReturn,
        (CarriageReturn, (byte)'\n') => LineBreak,
        (>= LineBreak and < LineBreak + MaxSpaces, (byte)' ') => state + 1,
        (LineBreak, (byte)'\t') => Tabs + 1,
        (> Tabs and < Tabs + MaxTabs, (byte)'\t') => state + 1,
        _ => -1,
    };

    private static bool Matters(string key, string[] extras)
    {
        foreach (string extra in extras)
        {
            if (extra.StartsWith(key, StringComparison.Ordinal))
            {
                return true;
            }
        }

        return false;
    }

    private static Configuration After(Frame? frame) => frame is null ? new(null, Done, null, 0) : new(frame, AfterValue, null, 0);

    private static void Close(JsonFrame frame, List<Configuration> output)
    {
        if (frame.MayClose)
        {
            output.Add(After(frame.Parent));
        }
    }

    private static void Follow(JsonFrame? frame, int blank, byte b, bool exact, List<Configuration> output)
    {
        if (frame is null)
        {
            return;
        }

        // Blank space before the end of a container only, and only where it may end.
        int next = Blank(blank, b);
        if (next >= 0)
        {
            if (frame.MayClose)
            {
                output.Add(new(frame, AfterValue, null, next));
            }

            return;
        }

        if (blank == CarriageReturn)
        {
            return;
        }

        if (b == (frame.Array is null ? '}' : ']'))
        {
            Close(frame, output);
        }
        else if (b == ',' && blank == 0 && frame.MayFollow)
        {
            output.Add(frame.Array is { } array ? new(frame.NextItem(), Value, array.Item(frame.Count), 0) : new(frame, NextKey, null, 0));
        }
    }

    private static void ReadText(Configuration from, JsonFrame? frame, byte b, List<Configuration> output)
    {
        var dfa = (CodePointDfa)from.Payload!;
        if (b == '"' && from.Partial == 0)
        {
            if (dfa.Accepting[from.Q])
            {
                output.Add(After(frame));
            }

            return;
        }

        long partial = from.Partial;
        int read = CharacterDecoder.Read(ref partial, b, true);
        if (read >= 0)
        {
            int next = dfa.Step(from.Q, read);
            if (next >= 0)
            {
                output.Add(new(frame, Text, dfa, next));
            }
        }
        else if (read == CharacterDecoder.Pending)
        {
            ((int Low, int High) first, (int Low, int High) second) = CharacterDecoder.Ranges(partial);
            if (dfa.AnyFrom(from.Q, first.Low, first.High) || (second.High >= 0 && dfa.AnyFrom(from.Q, second.Low, second.High)))
            {
                output.Add(new(frame, Text, dfa, from.Q, partial));
            }
        }
    }

    private static void ReadKey(Configuration from, JsonFrame frame, byte b, bool exact, List<Configuration> output)
    {
        ObjectShape shape = frame.Object!;
        KeyAutomaton keys = shape.Keys;
        if (b == '"' && from.Partial == 0)
        {
            int keyClass = keys.KeyClass(from.Q);
            bool allowed = keyClass >= 0 && (keyClass < shape.Named.Length
                ? ObjectShape.Has(frame.Names, keyClass)
                : frame.ExtrasAllowed && shape.UsableExtra[keyClass - shape.Named.Length] && (from.Key is null || Array.IndexOf(frame.Extras, from.Key) < 0));
            if (allowed)
            {
                output.Add(new(frame.WithKey(keyClass, exact ? from.Key : null), Colon, shape.Value(keyClass), 0));
            }

            return;
        }

        long partial = from.Partial;
        int read = CharacterDecoder.Read(ref partial, b, true);
        if (read >= 0)
        {
            int next = keys.Step(from.Q, read);
            if (next >= 0 && keys.IsLive(next, frame.Names, frame.ExtrasAllowed))
            {
                string? key = from.Key is null ? null : from.Key + new System.Text.Rune(read).ToString();
                output.Add(new(frame, Key, null, next, 0, exact || key is null || Matters(key, frame.Extras) ? key : null));
            }
        }
        else if (read == CharacterDecoder.Pending)
        {
            ((int Low, int High) first, (int Low, int High) second) = CharacterDecoder.Ranges(partial);
            if (keys.AnyLive(from.Q, first.Low, first.High, frame.Names, frame.ExtrasAllowed)
                || (second.High >= 0 && keys.AnyLive(from.Q, second.Low, second.High, frame.Names, frame.ExtrasAllowed)))
            {
                output.Add(new(frame, Key, null, from.Q, partial, from.Key));
            }
        }
    }

    private void Begin(Frame? frame, SchemaNode node, byte b, List<Configuration> output)
    {
        foreach (SchemaBranch branch in node.Branches!)
        {
            switch ((char)b)
            {
                case 'n' when branch.Null:
                    output.Add(new(frame, Literal, "null", 1));
                    break;
                case 't' when branch.True:
                    output.Add(new(frame, Literal, "true", 1));
                    break;
                case 'f' when branch.False:
                    output.Add(new(frame, Literal, "false", 1));
                    break;
                case '"' when branch.String is { } text:
                    output.Add(new(frame, Text, text, 0));
                    break;
                case '[' when branch.Array is { } array && Deeper(frame):
                    output.Add(new(new JsonFrame(frame, array, 0), FirstItem, null, 0));
                    break;
                case '{' when branch.Object is { } shape && Deeper(frame):
                    output.Add(new(new JsonFrame(frame, shape, 0, new ulong[shape.Required.Length], []), FirstKey, null, 0));
                    break;
                case '-' or (>= '0' and <= '9') when branch.Number is { } number && number.Step(0, b) is >= 0 and int next:
                    output.Add(new(frame, Number, number, next));
                    break;
            }
        }
    }

    private bool Deeper(Frame? frame) => frame is null || frame.Depth < limits.MaxTextDepth;
}
