using System.Text;

namespace Puna.Text.Templates;

/// <summary>What one rendering works with.</summary>
internal sealed class RenderState(Budget budget, Scope scope, DateTime now)
{
    /// <summary>Counts what is used up.</summary>
    public Budget Budget { get; } = budget;

    /// <summary>The time that <c>strftime_now</c> tells.</summary>
    public DateTime Now { get; } = now;

    /// <summary>The innermost scope.</summary>
    public Scope Scope { get; set; } = scope;

    /// <summary>Where text goes.</summary>
    public StringBuilder Output { get; private set; } = new();

    /// <summary>Writes text.</summary>
    public void Write(string text)
    {
        Budget.Charge(text.Length);
        Output.Append(text);
    }

    /// <summary>Runs statements in a scope of their own, whose text is returned.</summary>
    /// <param name="body">The statements.</param>
    /// <param name="scope">Their scope.</param>
    public string Capture(IReadOnlyList<Statement> body, Scope scope)
    {
        (StringBuilder output, Scope outer) = (Output, Scope);
        Output = new StringBuilder();
        Scope = scope;
        Budget.Enter();
        try
        {
            Statement.RunAll(body, this);
            return Output.ToString();
        }
        finally
        {
            Budget.Leave();
            Output = output;
            Scope = outer;
        }
    }
}

/// <summary>Names and their values; what is not here is looked for further out.</summary>
internal sealed class Scope(Scope? outer)
{
    private Dictionary<string, object?>? _values;

    /// <summary>The scope around it.</summary>
    public Scope? Outer { get; } = outer;

    /// <summary>The value of a name, here or further out.</summary>
    public bool TryGet(string name, out object? value)
    {
        for (Scope? scope = this; scope is not null; scope = scope.Outer)
        {
            if (scope._values is not null && scope._values.TryGetValue(name, out value))
                return true;
        }

        value = null;
        return false;
    }

    /// <summary>Gives a name a value here.</summary>
    public void Set(string name, object? value) => (_values ??= new Dictionary<string, object?>(StringComparer.Ordinal))[name] = value;
}
