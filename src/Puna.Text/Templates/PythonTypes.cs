using System.Numerics;

namespace Puna.Text.Templates;

/// <summary>What every Python value can do: tell its type, be true or false, be iterated and measured.</summary>
internal static class PythonTypes
{
    public static TemplateException TypeError(string message) => new("TypeError", message);

    public static TemplateException ValueError(string message) => new("ValueError", message);

    /// <summary>The name of a value's type.</summary>
    public static string Name(object? value) => value switch
    {
        null => "NoneType",
        bool => "bool",
        BigInteger => "int",
        double => "float",
        string => "str",
        PyList => "list",
        PyTuple => "tuple",
        PyDict => "dict",
        PyRange => "range",
        PyView view => "dict_" + view.Kind,
        PyIterator iterator => iterator.Name,
        PyNamespace => "Namespace",
        LoopContext => "LoopContext",
        PySlice => "slice",
        PyFunction function => function.Type,
        Undefined => "Undefined",
        PyCycler => "Cycler",
        _ => value.GetType().Name,
    };

    /// <summary>A value as Jinja names it in messages about attributes.</summary>
    public static string Describe(object? value) => value switch
    {
        null => "None",
        PyNamespace or PyCycler => "jinja2.utils." + Name(value) + " object",
        LoopContext => "jinja2.runtime.LoopContext object",
        PyFunction { Type: "Macro" } => "jinja2.runtime.Macro object",
        _ => Name(value) + " object",
    };

    /// <summary>Whether a condition with this value holds.</summary>
    public static bool Truth(object? value) => value switch
    {
        null or Undefined => false,
        bool b => b,
        BigInteger i => !i.IsZero,
        double d => d != 0,
        string s => s.Length > 0,
        PyList list => list.Items.Count > 0,
        PyTuple tuple => tuple.Items.Length > 0,
        PyDict dict => dict.Count > 0,
        PyRange range => range.Count > 0,
        PyView view => view.Dict.Count > 0,
        LoopContext loop => loop.Length > 0,
        _ => true,
    };

    /// <summary>The items of a value; each one visited is a step.</summary>
    /// <exception cref="TemplateException">It has none: at once, not when the first is asked for.</exception>
    public static IEnumerable<object?> Iterate(Budget budget, object? value)
    {
        IEnumerable<object?> items = value switch
        {
            string text => CodePoints.Each(text),
            PyList list => list.Items,
            PyTuple tuple => tuple.Items,
            PyDict dict => dict.Keys,
            PyRange range => range.Items,
            PyView view => view.Items,
            PyIterator iterator => iterator.Rest,
            Undefined => [],
            LoopContext loop => loop.Pairs,
            _ => throw TypeError($"'{Name(value)}' object is not iterable"),
        };
        return Count(items);

        IEnumerable<object?> Count(IEnumerable<object?> all)
        {
            foreach (object? item in all)
            {
                budget.Step();
                yield return item;
            }
        }
    }

    /// <summary>Whether <see cref="Iterate"/> would not throw.</summary>
    public static bool IsIterable(object? value) =>
        value is string or PyList or PyTuple or PyDict or PyRange or PyView or PyIterator or Undefined or LoopContext;

    /// <summary>The items of a value as a list of its own.</summary>
    public static List<object?> ToList(Budget budget, object? value)
    {
        var items = new List<object?>();
        foreach (object? item in Iterate(budget, value))
        {
            budget.Charge(1);
            items.Add(item);
        }

        return items;
    }

    /// <summary>The number of items, or null where the value has no length.</summary>
    public static int? LengthOf(object? value) => value switch
    {
        string text => CodePoints.Length(text),
        PyList list => list.Items.Count,
        PyTuple tuple => tuple.Items.Length,
        PyDict dict => dict.Count,
        PyRange range => range.Count,
        PyView view => view.Dict.Count,
        Undefined => 0,
        LoopContext loop => loop.Length,
        _ => null,
    };

    /// <summary>Python's <c>len</c>.</summary>
    public static BigInteger Length(object? value) => LengthOf(value) ?? throw TypeError($"object of type '{Name(value)}' has no len()");

    /// <summary>An integer where one is needed as an index or a count.</summary>
    public static BigInteger Index(object? value, string? message = null) => value switch
    {
        BigInteger i => i,
        bool b => b ? 1 : 0,
        Undefined undefined => throw undefined.Error(),
        _ => throw TypeError(message ?? $"'{Name(value)}' object cannot be interpreted as an integer"),
    };

    /// <summary><see cref="Index"/> cut to what fits.</summary>
    public static int SmallIndex(object? value) => (int)BigInteger.Max(-int.MaxValue, BigInteger.Min(int.MaxValue, Index(value)));
}
