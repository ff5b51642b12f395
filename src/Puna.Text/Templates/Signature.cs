namespace Puna.Text.Templates;

/// <summary>Parameters and body of a macro or of a call block.</summary>
internal sealed class Signature(IReadOnlyList<string> names, IReadOnlyList<Expression> defaults, IReadOnlyList<Statement> body, IReadOnlySet<string> used)
{
    private readonly bool _caller = used.Contains("caller") && !names.Contains("caller");
    private readonly bool _varargs = used.Contains("varargs") && !names.Contains("varargs");
    private readonly bool _kwargs = used.Contains("kwargs") && !names.Contains("kwargs");

    /// <summary>The macro, which sees the names around its definition.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="outer">The scope it is defined in.</param>
    public PyFunction Create(string name, Scope outer) => new(name, "Macro", (state, args) => Run(state, name, args, outer))
    {
        Macro = new MacroSignature(name, new PyTuple([.. names]), _caller || names.Contains("caller"), _kwargs, _varargs),
    };

    private string Run(RenderState state, string macro, Arguments args, Scope outer)
    {
        var scope = new Scope(outer);
        var named = new List<KeyValuePair<string, object?>>(args.Named);
        object?[] values = new object?[names.Count];
        for (int i = 0; i < values.Length; i++)
            values[i] = i < args.Positional.Count ? args.Positional[i] : Take(named, names[i]);
        if (_caller)
        {
            object? caller = Take(named, "caller");
            scope.Set("caller", caller == Missing.Value || caller is null ? new Undefined("No caller defined") : caller);
        }

        if (_kwargs)
        {
            var rest = new PyDict(state.Budget);
            foreach ((string key, object? value) in named)
                rest.Set(key, value);
            scope.Set("kwargs", rest);
        }
        else if (named.Count > 0)
        {
            throw PythonTypes.TypeError(named.Exists(static pair => pair.Key == "caller")
                ? $"macro {PythonRepr.Quote(macro)} was invoked with two values for the special caller argument. This is most likely a bug."
                : $"macro {PythonRepr.Quote(macro)} takes no keyword argument {PythonRepr.Quote(named[0].Key)}");
        }

        if (_varargs)
            scope.Set("varargs", new PyTuple([.. args.Positional.Skip(names.Count)]));
        else if (args.Positional.Count > names.Count)
            throw PythonTypes.TypeError($"macro {PythonRepr.Quote(macro)} takes not more than {names.Count} argument(s)");

        Scope before = state.Scope;
        state.Scope = scope;
        state.Budget.Enter();
        try
        {
            for (int i = 0; i < values.Length; i++)
            {
                if (values[i] == Missing.Value)
                {
                    int fallback = i - (names.Count - defaults.Count);
                    values[i] = fallback >= 0 ? defaults[fallback].Evaluate(state) : new Undefined($"parameter {PythonRepr.Quote(names[i])} was not provided");
                }

                scope.Set(names[i], values[i]);
            }
        }
        finally
        {
            state.Budget.Leave();
            state.Scope = before;
        }

        return state.Capture(body, scope);
    }

    private static object? Take(List<KeyValuePair<string, object?>> named, string name)
    {
        int index = named.FindIndex(pair => pair.Key == name);
        if (index < 0)
            return Missing.Value;
        object? value = named[index].Value;
        named.RemoveAt(index);
        return value;
    }
}
