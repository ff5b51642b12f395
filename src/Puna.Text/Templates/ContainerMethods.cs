using System.Numerics;

namespace Puna.Text.Templates;

/// <summary>Methods of dicts, lists and tuples that change nothing, and <c>cycler</c>.</summary>
internal static class ContainerMethods
{
    private const string Method = "builtin_function_or_method";

    /// <summary>A method of a dict, or null.</summary>
    public static PyFunction? Find(PyDict dict, string name) => name switch
    {
        "items" or "keys" or "values" => new(name, Method, (_, args) =>
        {
            args.Bind("dict." + name, 0);
            return new PyView(dict, name);
        }),
        "get" => new(name, Method, (_, args) =>
        {
            object?[] bound = args.Bind("get", 1, "key", "default");
            return dict.TryGet(bound[0], out object? value) ? value : bound[1] == Missing.Value ? null : bound[1];
        }),
        "copy" => new(name, Method, (state, args) =>
        {
            args.Bind("dict.copy", 0);
            state.Budget.Charge(dict.Count);
            var copy = new PyDict(state.Budget);
            foreach ((object? key, object? value) in dict.Items)
                copy.Set(key, value);
            return copy;
        }),
        _ => null,
    };

    /// <summary>A method of a list or tuple, or null.</summary>
    public static PyFunction? Find(IReadOnlyList<object?> items, string type, string name) => name switch
    {
        "count" => new(name, Method, (state, args) =>
        {
            object? wanted = args.Bind($"{type}.count", 1, "value")[0];
            return (BigInteger)items.Count(item => PythonCompare.AreSame(state.Budget, item, wanted));
        }),
        "index" => new(name, Method, (state, args) =>
        {
            object?[] bound = args.Bind("index", 1, "value", "start", "stop");
            int from = bound[1] == Missing.Value ? 0 : Clamp(PythonTypes.SmallIndex(bound[1]), items.Count);
            int to = bound[2] == Missing.Value ? items.Count : Clamp(PythonTypes.SmallIndex(bound[2]), items.Count);
            for (int i = from; i < to; i++)
            {
                if (PythonCompare.AreSame(state.Budget, items[i], bound[0]))
                    return (BigInteger)i;
            }

            throw PythonTypes.ValueError(type == "tuple" ? "tuple.index(x): x not in tuple" : $"{PythonRepr.Repr(state.Budget, bound[0])} is not in list");
        }),
        _ => null,
    };

    /// <summary>The method <c>copy</c> of a list.</summary>
    public static PyFunction Copy(PyList list) => new("copy", Method, (state, args) =>
    {
        args.Bind("list.copy", 0);
        state.Budget.Charge(list.Items.Count);
        return new PyList([.. list.Items]);
    });

    private static int Clamp(int index, int length) => Math.Clamp(index < 0 ? index + length : index, 0, length);
}

/// <summary>Jinja's <c>cycler</c>.</summary>
internal sealed class PyCycler(IReadOnlyList<object?> items)
{
    private int _at;

    /// <summary>An attribute, or null.</summary>
    public object? Find(string name) => name switch
    {
        "next" => new PyFunction(name, "method", (_, _) =>
        {
            object? value = items[_at];
            _at = (_at + 1) % items.Count;
            return value;
        }),
        "reset" => new PyFunction(name, "method", (_, _) =>
        {
            _at = 0;
            return null;
        }),
        "current" => items[_at],
        _ => null,
    };
}
