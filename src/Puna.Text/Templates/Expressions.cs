namespace Puna.Text.Templates;

/// <summary>An expression of a template.</summary>
internal abstract class Expression
{
    /// <summary>Its value.</summary>
    public object? Evaluate(RenderState state)
    {
        state.Budget.Step();
        return Compute(state);
    }

    protected abstract object? Compute(RenderState state);
}

/// <summary>A literal.</summary>
internal sealed class Constant(object? value) : Expression
{
    protected override object? Compute(RenderState state) => value;
}

/// <summary>A name.</summary>
internal sealed class Variable(string name) : Expression
{
    public string Name { get; } = name;

    protected override object? Compute(RenderState state) => state.Scope.TryGet(Name, out object? value) ? value : new Undefined($"'{Name}' is undefined");
}

/// <summary>A tuple or list.</summary>
internal sealed class Items(IReadOnlyList<Expression> parts, bool isTuple) : Expression
{
    public IReadOnlyList<Expression> Parts { get; } = parts;

    public bool IsTuple { get; } = isTuple;

    protected override object? Compute(RenderState state)
    {
        state.Budget.Charge(Parts.Count);
        object?[] values = new object?[Parts.Count];
        for (int i = 0; i < values.Length; i++)
            values[i] = Parts[i].Evaluate(state);
        return IsTuple ? new PyTuple(values) : new PyList([.. values]);
    }
}

/// <summary>A dict.</summary>
internal sealed class Pairs(IReadOnlyList<(Expression Key, Expression Value)> parts) : Expression
{
    protected override object? Compute(RenderState state)
    {
        state.Budget.Charge(parts.Count);
        var dict = new PyDict(state.Budget);
        foreach ((Expression key, Expression value) in parts)
            dict.Set(key.Evaluate(state), value.Evaluate(state));
        return dict;
    }
}

/// <summary><c>x.name</c>.</summary>
internal sealed class Attribute(Expression of, string name) : Expression
{
    protected override object? Compute(RenderState state) => Lookup.Attribute(state, of.Evaluate(state), name);
}

/// <summary><c>x[key]</c>.</summary>
internal sealed class Subscript(Expression of, Expression key) : Expression
{
    protected override object? Compute(RenderState state) => Lookup.Item(state, of.Evaluate(state), key.Evaluate(state));
}

/// <summary><c>a:b:c</c> inside brackets.</summary>
internal sealed class SliceExpression(Expression? start, Expression? stop, Expression? step) : Expression
{
    protected override object? Compute(RenderState state) => new PySlice(start?.Evaluate(state), stop?.Evaluate(state), step?.Evaluate(state));
}

/// <summary>Arguments as they are written.</summary>
internal sealed record ArgumentList(IReadOnlyList<Expression> Positional, IReadOnlyList<(string Name, Expression Value)> Named, Expression? Rest, Expression? NamedRest)
{
    public static ArgumentList None { get; } = new([], [], null, null);

    public Arguments Evaluate(RenderState state)
    {
        var arguments = new Arguments();
        foreach (Expression argument in Positional)
            arguments.Positional.Add(argument.Evaluate(state));
        foreach ((string name, Expression value) in Named)
            arguments.Named.Add(new(name, value.Evaluate(state)));
        if (Rest is not null)
            arguments.Positional.AddRange(PythonTypes.ToList(state.Budget, Rest.Evaluate(state)));
        if (NamedRest?.Evaluate(state) is var more && NamedRest is not null)
        {
            if (more is not PyDict dict)
                throw PythonTypes.TypeError($"argument after ** must be a mapping, not {PythonTypes.Name(more)}");
            state.Budget.Charge(dict.Count);
            foreach ((object? key, object? value) in dict.Items)
                arguments.Named.Add(new(key as string ?? throw PythonTypes.TypeError("keywords must be strings"), value));
        }

        return arguments;
    }
}

/// <summary>A call.</summary>
internal sealed class Call(Expression function, ArgumentList arguments) : Expression
{
    protected override object? Compute(RenderState state) => Invoke(state, null);

    /// <summary>Calls with one more argument, <c>caller</c>.</summary>
    public object? Invoke(RenderState state, PyFunction? caller)
    {
        object? callee = function.Evaluate(state);
        Arguments values = arguments.Evaluate(state);
        if (caller is not null)
            values.Named.Add(new("caller", caller));
        return Lookup.Call(state, callee, values);
    }
}

/// <summary><c>x|filter</c>.</summary>
internal sealed class FilterExpression(Expression? input, string name, ArgumentList arguments) : Expression
{
    protected override object? Compute(RenderState state) => Apply(state, input!.Evaluate(state));

    /// <summary>Filters a text: of a filter block, whose innermost filter has no input.</summary>
    public object? Apply(RenderState state, object? value) => Filters.Apply(state, name, value, arguments.Evaluate(state));

    /// <summary>Filters the text of a block through this filter and those before it.</summary>
    public object? ApplyChain(RenderState state, object? value) => Apply(state, input is FilterExpression before ? before.ApplyChain(state, value) : value);
}

/// <summary><c>x is test</c>.</summary>
internal sealed class TestExpression(Expression input, string name, ArgumentList arguments) : Expression
{
    protected override object? Compute(RenderState state) => TemplateTests.Apply(state, name, input.Evaluate(state), arguments.Evaluate(state));
}

/// <summary><c>not x</c>.</summary>
internal sealed class Not(Expression operand) : Expression
{
    protected override object? Compute(RenderState state) => !PythonTypes.Truth(operand.Evaluate(state));
}

/// <summary><c>x and y</c>, <c>x or y</c>: one of the operands.</summary>
internal sealed class Logical(Expression left, Expression right, bool isAnd) : Expression
{
    protected override object? Compute(RenderState state)
    {
        object? value = left.Evaluate(state);
        return PythonTypes.Truth(value) == isAnd ? right.Evaluate(state) : value;
    }
}

/// <summary>A sign.</summary>
internal sealed class Unary(string op, Expression operand) : Expression
{
    protected override object? Compute(RenderState state) => PythonNumbers.Unary(op, operand.Evaluate(state));
}

/// <summary>Arithmetic.</summary>
internal sealed class Binary(string op, Expression left, Expression right) : Expression
{
    protected override object? Compute(RenderState state) => PythonNumbers.Binary(state, op, left.Evaluate(state), right.Evaluate(state));
}

/// <summary><c>x ~ y</c>: texts one after the other.</summary>
internal sealed class Concatenation(IReadOnlyList<Expression> parts) : Expression
{
    protected override object? Compute(RenderState state)
    {
        string[] texts = new string[parts.Count];
        for (int i = 0; i < texts.Length; i++)
        {
            texts[i] = PythonRepr.Str(state.Budget, parts[i].Evaluate(state));
            state.Budget.Charge(texts[i].Length);
        }

        return string.Concat(texts);
    }
}

/// <summary>Comparisons, which may be chained.</summary>
internal sealed class Comparison(Expression first, IReadOnlyList<(string Op, Expression Operand)> rest) : Expression
{
    protected override object? Compute(RenderState state)
    {
        object? left = first.Evaluate(state);
        foreach ((string op, Expression operand) in rest)
        {
            object? right = operand.Evaluate(state);
            if (!Holds(state.Budget, op, left, right))
                return false;
            left = right;
        }

        return true;
    }

    /// <summary>Whether a comparison holds.</summary>
    public static bool Holds(Budget budget, string op, object? left, object? right) => op switch
    {
        "==" => PythonCompare.AreEqual(budget, left, right),
        "!=" => !PythonCompare.AreEqual(budget, left, right),
        "in" => PythonCompare.Contains(budget, right, left),
        "not in" => !PythonCompare.Contains(budget, right, left),
        _ => PythonCompare.Order(budget, op, left, right),
    };
}

/// <summary><c>x if condition else y</c>.</summary>
internal sealed class Conditional(Expression condition, Expression then, Expression? otherwise, int line) : Expression
{
    protected override object? Compute(RenderState state) => PythonTypes.Truth(condition.Evaluate(state)) ? then.Evaluate(state)
        : otherwise is not null ? otherwise.Evaluate(state)
        : new Undefined($"the inline if-expression on line {line} evaluated to false and no else section was defined.");
}
