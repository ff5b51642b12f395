using Puna.Tensors;

namespace Puna.Runtime.Constraints.Automata;

/// <summary>JSON numbers as automata over their characters. Bounds and divisors are exact; with them numbers are written without exponents.</summary>
internal static class NumberLanguages
{
    private const string Alphabet = "-.0123456789";

    // Signs of the comparison so far; the phases of reading a number.
    private const int Start = 0;
    private const int Minus = 1;
    private const int Whole = 2;
    private const int Point = 3;
    private const int Fraction = 4;

    /// <summary>Integers as they are written: JSON calls 1.0 an integer too, but readers of typed values refuse it, and zeros behind a point could go on for ever.</summary>
    public static CodePointDfa Integer(CompileBudget budget) => RegexCompiler.Compile("-?(0|[1-9][0-9]*)", false, budget, "type");

    /// <summary>Integers that may end with .0, as lists of constants may spell them.</summary>
    public static CodePointDfa IntegerValue(CompileBudget budget) => RegexCompiler.Compile("-?(0|[1-9][0-9]*)(\\.0)?", false, budget, "type");

    public static CodePointDfa Any(CompileBudget budget) => RegexCompiler.Compile("-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][-+]?[0-9]{1,3})?", false, budget, "type");

    /// <summary>Numbers that compare with the bound as asked: above (1) or below (-1) it, or equal to it where that is allowed.</summary>
    public static CodePointDfa Compared(DecimalBound bound, int side, bool orEqual, CompileBudget budget, string where)
    {
        bool Holds(bool negative, int magnitude)
        {
            // The magnitude compared with the bound's magnitude, turned into a comparison of values.
            int order = bound.IsZero
                ? (magnitude == 0 ? 0 : negative ? -1 : 1)
                : negative == bound.Negative ? (negative ? -magnitude : magnitude) : (negative ? -1 : 1);
            return order == 0 ? orEqual : order == side;
        }

        int Compare(int so, int digit, int other) => so != 0 ? so : digit.CompareTo(other);

        // A state: phase, sign, digits read in this part (capped), comparison so far.
        return Build(
            (Start, 0, 0, 0),
            (state, digit) =>
            {
                (int phase, int negative, int count, int so) = state;
                if (phase is Whole)
                {
                    int n = Math.Min(count + 1, bound.IntegerDigits + 1);
                    return (Whole, negative, n, n > bound.IntegerDigits ? so : Compare(so, digit, bound.IntegerDigit(count)));
                }

                return (Fraction, negative, Math.Min(count + 1, bound.FractionDigits), Compare(so, digit, bound.FractionDigit(count)));
            },
            (state) =>
            {
                // The integer part has ended: more digits are a greater number. A single 0 counts as none.
                (_, int negative, int count, int so) = state;
                return (Point, negative, 0, count > bound.IntegerDigits ? 1 : count < bound.IntegerDigits ? -1 : so);
            },
            (state) => Holds(state.Item2 == 1, state.Item4 != 0 ? state.Item4 : Remaining(state.Item3)),
            budget,
            where);

        // Equal so far: less if the bound has further digits.
        int Remaining(int fractionDigits)
        {
            for (int j = fractionDigits; j < bound.FractionDigits; j++)
            {
                if (bound.FractionDigit(j) != 0)
                {
                    return -1;
                }
            }

            return 0;
        }
    }

    /// <summary>Multiples of a positive decimal number.</summary>
    public static CodePointDfa MultipleOf(DecimalBound divisor, CompileBudget budget, string where)
    {
        int places = divisor.FractionDigits;
        if (divisor.Scaled > budget.Limits.MaxStates / (places + 1))
        {
            throw new PunaException($"multipleOf: expected a divisor of at most {budget.Limits.MaxStates / (places + 1)} without its point, got {divisor.Scaled} ({where})");
        }

        int modulus = (int)divisor.Scaled;
        return Build(
            (Start, 0, 0, 0),
            (state, digit) =>
            {
                (int phase, _, int count, int remainder) = state;
                if (phase is Whole)
                {
                    return (Whole, 0, 0, ((remainder * 10) + digit) % modulus);
                }

                return count < places ? (Fraction, 0, count + 1, ((remainder * 10) + digit) % modulus) : digit == 0 ? (Fraction, 0, count, remainder) : null;
            },
            (state) => (Point, 0, 0, state.Item4),
            (state) =>
            {
                long remainder = state.Item4;
                for (int j = state.Item3; j < places; j++)
                {
                    remainder = remainder * 10 % modulus;
                }

                return remainder == 0;
            },
            budget,
            where);
    }

    private static CodePointDfa Build(
        (int, int, int, int) start,
        Func<(int, int, int, int), int, (int, int, int, int)?> digitStep,
        Func<(int, int, int, int), (int, int, int, int)> endWhole,
        Func<(int, int, int, int), bool> holds,
        CompileBudget budget,
        string where)
    {
        // The fifth part says that the integer part is a single 0, after which no digit may follow.
        var ids = new Dictionary<((int, int, int, int), bool), int>();
        var states = new List<((int Phase, int Negative, int, int) State, bool Zero)>();
        var next = new List<int>();
        int Id((int, int, int, int)? state, bool zero)
        {
            if (state is not { } some)
            {
                return -1;
            }

            if (!ids.TryGetValue((some, zero), out int id))
            {
                ids.Add((some, zero), id = states.Count);
                states.Add((some, zero));
                budget.States(states.Count, where);
            }

            return id;
        }

        (int[] starts, int[] classOf, int classes) = CodePointDfa.Singletons([.. Alphabet.Select(c => (int)c)]);
        int[] classIndex = [.. Alphabet.Select(c => classOf[Array.BinarySearch(starts, c)])];
        Id(start, false);
        for (int s = 0; s < states.Count; s++)
        {
            ((int phase, int negative, int count, int so) state, bool zero) = states[s];
            int[] row = new int[classes];
            Array.Fill(row, -1);
            if (state.phase == Start)
            {
                row[classIndex[0]] = Id((Minus, 1, state.count, state.so), false);
            }

            if (state.phase == Whole)
            {
                row[classIndex[1]] = Id(endWhole(state), false);
            }

            for (int digit = 0; digit < 10; digit++)
            {
                bool first = state.phase is Start or Minus;
                bool leadingZero = first && digit == 0;
                row[classIndex[2 + digit]] = zero && state.phase == Whole
                    ? -1
                    : leadingZero ? Id((Whole, state.negative, 0, 0), true) : Id(digitStep(first ? (Whole, state.negative, state.count, state.so) : state, digit), false);
            }

            next.AddRange(row);
        }

        return new(starts, classOf, classes, [.. next],
            [.. states.Select(s => s.State.Phase switch { Whole => holds(endWhole(s.State)), Fraction => holds(s.State), _ => false })]);
    }
}
