using System.Numerics;

namespace Puna.Text.Templates;

/// <summary>The functions that every template can call.</summary>
internal static class TemplateGlobals
{
    private const int MostNumbers = 100_000;

    /// <summary>Puts them into a scope.</summary>
    public static void Define(Scope scope)
    {
        Add("range", "type", Range);
        Add("dict", "type", (state, args) => Dict(state, args));
        Add("namespace", "type", (state, args) => new PyNamespace(Dict(state, args)));
        Add("cycler", "type", static (_, args) => args.Positional.Count > 0 ? new PyCycler(args.Positional) : throw new TemplateException("RuntimeError", "at least one item has to be provided"));
        Add("joiner", "type", Joiner);
        Add("raise_exception", "function", static (state, args) => throw new TemplateException("TemplateError", PythonRepr.Str(state.Budget, args.Bind("raise_exception", 1, "message")[0])));
        Add("strftime_now", "function", static (state, args) =>
        {
            string format = StringMethods.Text(args.Bind("strftime_now", 1, "format")[0], "strftime() argument 1");
            state.Budget.Charge(format.Length * 8L);
            return Strftime.Format(state.Now, format);
        });

        void Add(string name, string type, Func<RenderState, Arguments, object?> call) => scope.Set(name, new PyFunction(name, type, call));
    }

    private static object? Range(RenderState state, Arguments args)
    {
        if (args.Positional.Count is 0 or > 3 || args.Named.Count > 0)
            throw PythonTypes.TypeError($"range expected {(args.Positional.Count == 0 ? "at least 1 argument, got 0" : $"at most 3 arguments, got {args.Positional.Count}")}");
        BigInteger[] numbers = [.. args.Positional.Select(static value => PythonTypes.Index(value))];
        BigInteger start = numbers.Length > 1 ? numbers[0] : 0, stop = numbers.Length > 1 ? numbers[1] : numbers[0], step = numbers.Length > 2 ? numbers[2] : 1;
        if (step.IsZero)
            throw PythonTypes.ValueError("range() arg 3 must not be zero");
        BigInteger count = step.Sign > 0 ? (stop - start + step - 1) / step : (start - stop - step - 1) / -step;
        count = (step.Sign > 0 ? stop <= start : stop >= start) ? 0 : count;
        return count <= MostNumbers ? new PyRange(start, step, (int)count)
            : throw new TemplateException("OverflowError", $"Range too big. The sandbox blocks ranges larger than MAX_RANGE ({MostNumbers}).");
    }

    private static PyDict Dict(RenderState state, Arguments args)
    {
        var dict = new PyDict(state.Budget);
        if (args.Positional.Count > 1)
            throw PythonTypes.TypeError($"dict expected at most 1 argument, got {args.Positional.Count}");
        if (args.Positional is [PyDict other])
        {
            state.Budget.Charge(other.Count);
            foreach ((object? key, object? value) in other.Items)
                dict.Set(key, value);
        }
        else if (args.Positional is [var pairs])
        {
            foreach (object? pair in PythonTypes.Iterate(state.Budget, pairs))
            {
                if (PythonTypes.ToList(state.Budget, pair) is not [var key, var value])
                    throw PythonTypes.ValueError("dictionary update sequence element: expected two values, got another number");
                state.Budget.Charge(1);
                dict.Set(key, value);
            }
        }

        foreach ((string key, object? value) in args.Named)
            dict.Set(key, value);
        return dict;
    }

    private static object? Joiner(RenderState state, Arguments args)
    {
        object? separator = args.Bind("joiner", 0, "sep")[0];
        bool isUsed = false;
        return new PyFunction("joiner", "Joiner", (_, _) =>
        {
            bool before = isUsed;
            isUsed = true;
            return !before ? "" : separator == Missing.Value ? ", " : separator;
        });
    }
}
