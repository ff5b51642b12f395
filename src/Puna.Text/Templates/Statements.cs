namespace Puna.Text.Templates;

/// <summary>How a statement ends.</summary>
internal enum Flow
{
    Next,
    Break,
    Continue,
}

/// <summary>A statement of a template.</summary>
internal abstract class Statement
{
    /// <summary>Runs it.</summary>
    public abstract Flow Run(RenderState state);

    /// <summary>Runs statements up to one that leaves a loop.</summary>
    public static Flow RunAll(IReadOnlyList<Statement> statements, RenderState state)
    {
        for (int i = 0; i < statements.Count; i++)
        {
            state.Budget.Step();
            Flow flow = statements[i].Run(state);
            if (flow != Flow.Next)
                return flow;
        }

        return Flow.Next;
    }

    /// <summary>Gives values to names, or to an attribute of a namespace.</summary>
    public static void Assign(RenderState state, Expression target, object? value)
    {
        switch (target)
        {
            case Variable variable:
                state.Scope.Set(variable.Name, value);
                break;
            case NamespaceTarget attribute:
                attribute.Assign(state, value);
                break;
            case Items items:
                if (!PythonTypes.IsIterable(value))
                    throw PythonTypes.TypeError($"cannot unpack non-iterable {PythonTypes.Name(value)} object");
                List<object?> values = [.. PythonTypes.Iterate(state.Budget, value).Take(items.Parts.Count + 1)];
                if (values.Count > items.Parts.Count)
                    throw PythonTypes.ValueError($"too many values to unpack (expected {items.Parts.Count})");
                if (values.Count < items.Parts.Count)
                    throw PythonTypes.ValueError($"not enough values to unpack (expected {items.Parts.Count}, got {values.Count})");
                for (int i = 0; i < values.Count; i++)
                    Assign(state, items.Parts[i], values[i]);
                break;
        }
    }
}

/// <summary><c>ns.x</c> as the target of an assignment.</summary>
internal sealed class NamespaceTarget(string name, string attribute) : Expression
{
    public void Assign(RenderState state, object? value)
    {
        if (!state.Scope.TryGet(name, out object? target) || target is not PyNamespace space)
            throw new TemplateException("TemplateRuntimeError", "cannot assign attribute on non-namespace object");
        state.Budget.Charge(1);
        space.Attributes.Set(attribute, value);
    }

    protected override object? Compute(RenderState state) => throw new InvalidOperationException("a target has no value");
}

/// <summary>Text between tags.</summary>
internal sealed class Data(string text) : Statement
{
    /// <inheritdoc/>
    public override Flow Run(RenderState state)
    {
        state.Write(text);
        return Flow.Next;
    }
}

/// <summary><c>{{ x }}</c>.</summary>
internal sealed class Print(Expression value) : Statement
{
    /// <inheritdoc/>
    public override Flow Run(RenderState state)
    {
        state.Write(PythonRepr.Str(state.Budget, value.Evaluate(state)));
        return Flow.Next;
    }
}

/// <summary><c>{% set x = y %}</c>.</summary>
internal sealed class Assignment(Expression target, Expression value) : Statement
{
    /// <inheritdoc/>
    public override Flow Run(RenderState state)
    {
        Assign(state, target, value.Evaluate(state));
        return Flow.Next;
    }
}

/// <summary><c>{% set x %}...{% endset %}</c>.</summary>
internal sealed class BlockAssignment(Expression target, FilterExpression? filter, IReadOnlyList<Statement> body) : Statement
{
    /// <inheritdoc/>
    public override Flow Run(RenderState state)
    {
        object? value = state.Capture(body, new Scope(state.Scope));
        Assign(state, target, filter is null ? value : filter.ApplyChain(state, value));
        return Flow.Next;
    }
}

/// <summary><c>{% if %}</c>.</summary>
internal sealed class If(IReadOnlyList<(Expression Condition, IReadOnlyList<Statement> Body)> branches, IReadOnlyList<Statement> otherwise) : Statement
{
    /// <inheritdoc/>
    public override Flow Run(RenderState state)
    {
        foreach ((Expression condition, IReadOnlyList<Statement> body) in branches)
        {
            if (PythonTypes.Truth(condition.Evaluate(state)))
                return RunAll(body, state);
        }

        return RunAll(otherwise, state);
    }
}

/// <summary><c>{% for %}</c>.</summary>
internal sealed class For(Expression target, Expression items, Expression? condition, bool isRecursive, IReadOnlyList<Statement> body, IReadOnlyList<Statement> otherwise) : Statement
{
    /// <inheritdoc/>
    public override Flow Run(RenderState state)
    {
        Loop(state, items.Evaluate(state), 0, state.Scope);
        return Flow.Next;
    }

    private void Loop(RenderState state, object? iterable, int depth, Scope outer)
    {
        if (condition is not null)
            iterable = new PyIterator(Chosen(state, PythonTypes.Iterate(state.Budget, iterable), outer));
        LoopContext? loop = null;
        loop = new LoopContext(state.Budget, iterable, isRecursive ? Recurse : null, depth);
        Scope before = state.Scope;
        bool hasEnded = false;
        try
        {
            while (loop.MoveNext(out object? item))
            {
                state.Scope = new Scope(outer);
                Assign(state, target, item);
                state.Scope.Set("loop", loop);
                Flow flow = RunAll(body, state);
                if (flow == Flow.Break)
                    break;
                hasEnded |= flow == Flow.Next;
            }
        }
        finally
        {
            state.Scope = before;
        }

        if (!hasEnded && otherwise.Count > 0)
        {
            state.Scope = new Scope(outer);
            RunAll(otherwise, state);
            state.Scope = before;
        }

        string Recurse(object? inner, int level)
        {
            // The text of the loop one level down is the value of the call.
            return state.Capture([new Inner(() => Loop(state, inner, level, outer))], outer);
        }
    }

    private IEnumerable<object?> Chosen(RenderState state, IEnumerable<object?> all, Scope outer)
    {
        foreach (object? item in all)
        {
            Scope before = state.Scope;
            state.Scope = new Scope(outer);
            bool isChosen;
            try
            {
                Assign(state, target, item);
                isChosen = PythonTypes.Truth(condition!.Evaluate(state));
            }
            finally
            {
                state.Scope = before;
            }

            if (isChosen)
                yield return item;
        }
    }

    private sealed class Inner(Action run) : Statement
    {
        public override Flow Run(RenderState state)
        {
            run();
            return Flow.Next;
        }
    }
}

/// <summary><c>{% break %}</c> and <c>{% continue %}</c>.</summary>
internal sealed class Leave(Flow flow) : Statement
{
    /// <inheritdoc/>
    public override Flow Run(RenderState state) => flow;
}

/// <summary>A block with a scope of its own: <c>{% with %}</c>, <c>{% block %}</c>, <c>{% generation %}</c>.</summary>
internal sealed class Scoped(IReadOnlyList<(Expression Target, Expression Value)> assignments, IReadOnlyList<Statement> body) : Statement
{
    /// <inheritdoc/>
    public override Flow Run(RenderState state)
    {
        Scope outer = state.Scope;
        var inner = new Scope(outer);
        state.Budget.Enter();
        try
        {
            foreach ((Expression target, Expression value) in assignments)
            {
                state.Scope = outer;
                object? result = value.Evaluate(state);
                state.Scope = inner;
                Assign(state, target, result);
            }

            state.Scope = inner;
            return RunAll(body, state);
        }
        finally
        {
            state.Budget.Leave();
            state.Scope = outer;
        }
    }
}

/// <summary><c>{% filter x %}...{% endfilter %}</c>.</summary>
internal sealed class FilterBlock(FilterExpression filter, IReadOnlyList<Statement> body) : Statement
{
    /// <inheritdoc/>
    public override Flow Run(RenderState state)
    {
        state.Write(PythonRepr.Str(state.Budget, filter.ApplyChain(state, state.Capture(body, new Scope(state.Scope)))));
        return Flow.Next;
    }
}

/// <summary><c>{% macro %}</c>.</summary>
internal sealed class Macro(string name, Signature signature) : Statement
{
    /// <inheritdoc/>
    public override Flow Run(RenderState state)
    {
        state.Scope.Set(name, signature.Create(name, state.Scope));
        return Flow.Next;
    }
}

/// <summary><c>{% call %}</c>.</summary>
internal sealed class CallBlock(Call call, Signature signature) : Statement
{
    /// <inheritdoc/>
    public override Flow Run(RenderState state)
    {
        state.Write(PythonRepr.Str(state.Budget, call.Invoke(state, signature.Create("caller", state.Scope))));
        return Flow.Next;
    }
}

/// <summary>What only fails where it is reached.</summary>
internal sealed class Fail(TemplateException error) : Statement
{
    /// <inheritdoc/>
    public override Flow Run(RenderState state) => throw error;
}
