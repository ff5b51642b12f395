using System.Numerics;

namespace Puna.Text.Templates;

// The values of a template are null (none), bool, BigInteger, double, string and the types of this file.

/// <summary>Python's list; templates cannot change one.</summary>
internal sealed class PyList(List<object?> items)
{
    public List<object?> Items { get; } = items;
}

/// <summary>Python's tuple; that of <c>groupby</c> has names.</summary>
internal sealed class PyTuple(object?[] items, bool isGroup = false)
{
    public object?[] Items { get; } = items;

    public bool IsGroup { get; } = isGroup;
}

/// <summary>Python's dict, in the order of insertion.</summary>
internal sealed class PyDict(Budget budget)
{
    private static readonly object None = new();

    private readonly OrderedDictionary<object, object?> _items = new(new KeyComparer(budget));

    public int Count => _items.Count;

    public IEnumerable<object?> Keys => _items.Keys.Select(static key => Unwrap(key));

    public IEnumerable<object?> Values => _items.Values;

    public IEnumerable<KeyValuePair<object?, object?>> Items => _items.Select(static pair => new KeyValuePair<object?, object?>(Unwrap(pair.Key), pair.Value));

    public bool TryGet(object? key, out object? value) => _items.TryGetValue(key ?? None, out value);

    public void Set(object? key, object? value) => _items[key ?? None] = value;

    private static object? Unwrap(object key) => ReferenceEquals(key, None) ? null : key;

    private sealed class KeyComparer(Budget budget) : IEqualityComparer<object>
    {
        public new bool Equals(object? x, object? y) => ReferenceEquals(x, y) || (x != None && y != None && PythonCompare.AreEqual(budget, x, y));

        public int GetHashCode(object key) => key == None ? 0 : PythonCompare.Hash(budget, key);
    }
}

/// <summary>A view of a dict: <c>keys()</c>, <c>values()</c> or <c>items()</c>.</summary>
internal sealed class PyView(PyDict dict, string kind)
{
    public PyDict Dict { get; } = dict;

    /// <summary><c>keys</c>, <c>values</c> or <c>items</c>.</summary>
    public string Kind { get; } = kind;

    public IEnumerable<object?> Items => Kind switch
    {
        "keys" => Dict.Keys,
        "values" => Dict.Values,
        _ => Dict.Items.Select(static pair => (object?)new PyTuple([pair.Key, pair.Value])),
    };
}

/// <summary>Python's range, at most 100,000 numbers.</summary>
internal sealed class PyRange(BigInteger start, BigInteger step, int count)
{
    public BigInteger Start { get; } = start;

    public BigInteger Step { get; } = step;

    public int Count { get; } = count;

    public IEnumerable<object?> Items
    {
        get
        {
            for (int i = 0; i < Count; i++)
                yield return Start + (Step * i);
        }
    }
}

/// <summary>A generator: its items can be visited once.</summary>
internal sealed class PyIterator(IEnumerable<object?> items, string name = "generator")
{
    private readonly IEnumerator<object?> _items = items.GetEnumerator();

    /// <summary>Name of the type.</summary>
    public string Name { get; } = name;

    public IEnumerable<object?> Rest
    {
        get
        {
            while (_items.MoveNext())
                yield return _items.Current;
        }
    }
}

/// <summary>A slice inside brackets.</summary>
internal sealed record PySlice(object? Start, object? Stop, object? Step);

/// <summary>An object that can be written to: <c>namespace()</c>.</summary>
internal sealed class PyNamespace(PyDict attributes)
{
    public PyDict Attributes { get; } = attributes;
}

/// <summary>What a name stands for that is not there; most things done with it are errors.</summary>
/// <param name="message">What the error says.</param>
/// <param name="kind">The error.</param>
internal sealed class Undefined(string message, string kind = "UndefinedError")
{
    public TemplateException Error() => new(kind, message);
}

/// <summary>An argument that was not given.</summary>
internal static class Missing
{
    public static object Value { get; } = new();
}

/// <summary>A function, method or macro.</summary>
/// <param name="name">Its name.</param>
/// <param name="type">Name of its type.</param>
/// <param name="call">What it does.</param>
internal sealed class PyFunction(string name, string type, Func<RenderState, Arguments, object?> call)
{
    public string Name { get; } = name;

    public string Type { get; } = type;

    public object? Call(RenderState state, Arguments arguments) => call(state, arguments);

    /// <summary>A macro's parts, where it is one.</summary>
    public MacroSignature? Macro { get; init; }
}

/// <summary>What templates can ask a macro.</summary>
internal sealed record MacroSignature(string Name, PyTuple Arguments, bool Caller, bool CatchKwargs, bool CatchVarargs);
