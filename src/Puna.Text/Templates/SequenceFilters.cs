using System.Numerics;
using System.Text;

namespace Puna.Text.Templates;

/// <summary>Jinja's filters: those for lists and what else has items.</summary>
internal static class SequenceFilters
{
    public static Dictionary<string, Filters.Filter> Table { get; } = new(StringComparer.Ordinal)
    {
        ["batch"] = static (state, v, a) => new PyIterator(Batch(state, v, Filters.Bound(a, "do_batch", 1, "linecount", "fill_with"))),
        ["count"] = static (_, v, a) => Length(v, a),
        ["length"] = static (_, v, a) => Length(v, a),
        ["dictsort"] = DictSort,
        ["first"] = static (state, v, _) => First(state, v),
        ["last"] = static (state, v, _) => Last(state, v),
        ["groupby"] = GroupBy,
        ["join"] = Join,
        ["list"] = static (state, v, _) => new PyList(PythonTypes.ToList(state.Budget, v)),
        ["map"] = static (state, v, a) => new PyIterator(Map(state, v, a)),
        ["max"] = static (state, v, a) => Extreme(state, v, a, ">"),
        ["min"] = static (state, v, a) => Extreme(state, v, a, "<"),
        ["reject"] = static (state, v, a) => new PyIterator(Select(state, v, a, keeps: false, ofAttribute: false)),
        ["rejectattr"] = static (state, v, a) => new PyIterator(Select(state, v, a, keeps: false, ofAttribute: true)),
        ["select"] = static (state, v, a) => new PyIterator(Select(state, v, a, keeps: true, ofAttribute: false)),
        ["selectattr"] = static (state, v, a) => new PyIterator(Select(state, v, a, keeps: true, ofAttribute: true)),
        ["reverse"] = Reverse,
        ["slice"] = static (state, v, a) => new PyIterator(Slices(state, v, Filters.Bound(a, "do_slice", 1, "slices", "fill_with"))),
        ["sort"] = Sort,
        ["sum"] = Sum,
        ["unique"] = static (state, v, a) => new PyIterator(Unique(state, v, Filters.Bound(a, "do_unique", 0, "case_sensitive", "attribute"))),
    };

    private static bool IsTrue(object? argument) => argument != Missing.Value && PythonTypes.Truth(argument);

    private static object? Length(object? value, Arguments arguments)
    {
        Filters.Bound(arguments, "len");
        return PythonTypes.Length(value);
    }

    /// <summary>What finds the attribute of an item: parts between points, numbers among them as indices.</summary>
    private static Func<object?, object?> Getter(RenderState state, object? attribute, bool ignoresCase = false, object? fallback = null)
    {
        object?[] parts = attribute == Missing.Value || attribute is null ? [] : attribute is string path
            ? [.. path.Split('.').Select(static part => part.Length is > 0 and < 100 && part.All(char.IsAsciiDigit)
                ? BigInteger.Parse(part, System.Globalization.CultureInfo.InvariantCulture) : (object?)part)]
            : [attribute];
        return item =>
        {
            foreach (object? part in parts)
            {
                item = Lookup.Item(state, item, part);
                if (fallback is not null && item is Undefined)
                    item = fallback;
            }

            return ignoresCase && item is string text ? StringMethods.Lower(text) : item;
        };
    }

    private static object? First(RenderState state, object? value)
    {
        foreach (object? item in PythonTypes.Iterate(state.Budget, value))
            return item;
        return new Undefined("No first item, sequence was empty.");
    }

    private static object? Last(RenderState state, object? value)
    {
        if (value is PyIterator || !PythonTypes.IsIterable(value))
            throw PythonTypes.TypeError($"'{PythonTypes.Name(value)}' object is not reversible");
        object? last = Missing.Value;
        foreach (object? item in PythonTypes.Iterate(state.Budget, value))
            last = item;
        return last == Missing.Value ? new Undefined("No last item, sequence was empty.") : last;
    }

    private static object? Join(RenderState state, object? value, Arguments arguments)
    {
        object?[] bound = Filters.Bound(arguments, "do_join", 0, "d", "attribute");
        string separator = bound[0] == Missing.Value ? "" : Filters.Str(state, bound[0]);
        Func<object?, object?> getter = Getter(state, bound[1]);
        var result = new StringBuilder();
        bool isFirst = true;
        foreach (object? item in PythonTypes.Iterate(state.Budget, value))
        {
            string text = Filters.Str(state, getter(item));
            state.Budget.Charge(text.Length + separator.Length);
            _ = isFirst ? result.Append(text) : result.Append(separator).Append(text);
            isFirst = false;
        }

        return result.ToString();
    }

    private static IEnumerable<object?> Map(RenderState state, object? value, Arguments arguments)
    {
        if (!PythonTypes.Truth(value))
            yield break;
        Func<object?, object?> change;
        int attribute = arguments.Named.FindIndex(static pair => pair.Key == "attribute");
        if (arguments.Positional.Count == 0 && attribute >= 0)
        {
            if (arguments.Named.Find(static pair => pair.Key is not ("attribute" or "default")).Key is string other)
                throw new TemplateException("FilterArgumentError", $"Unexpected keyword argument {PythonRepr.Quote(other)}");
            change = Getter(state, arguments.Named[attribute].Value, fallback: arguments.Named.Find(static pair => pair.Key == "default").Value);
        }
        else if (arguments.Positional is [string name, ..])
        {
            change = item => Filters.Apply(state, name, item, new Arguments { Positional = arguments.Positional[1..], Named = arguments.Named });
        }
        else
        {
            throw new TemplateException("FilterArgumentError", "map requires a filter argument");
        }

        foreach (object? item in PythonTypes.Iterate(state.Budget, value))
            yield return change(item);
    }

    private static IEnumerable<object?> Select(RenderState state, object? value, Arguments arguments, bool keeps, bool ofAttribute)
    {
        if (!PythonTypes.Truth(value))
            yield break;
        int off = ofAttribute ? 1 : 0;
        if (arguments.Positional.Count < off)
            throw new TemplateException("FilterArgumentError", "Missing parameter for attribute name");
        Func<object?, object?> getter = Getter(state, ofAttribute ? arguments.Positional[0] : null);
        bool hasTest = arguments.Positional.Count > off;
        string test = hasTest ? arguments.Positional[off] as string ?? throw new TemplateException("TemplateRuntimeError", $"No test named {PythonRepr.Repr(state.Budget, arguments.Positional[off])} found.") : "";
        var rest = new Arguments { Positional = hasTest ? arguments.Positional[(off + 1)..] : [], Named = arguments.Named };
        foreach (object? item in PythonTypes.Iterate(state.Budget, value))
        {
            object? part = getter(item);
            bool holds = hasTest ? TemplateTests.Apply(state, test, part, rest) : PythonTypes.Truth(part);
            if (holds == keeps)
                yield return item;
        }
    }

    private static object? Reverse(RenderState state, object? value, Arguments arguments)
    {
        if (value is string text)
            return Lookup.Item(state, text, new PySlice(null, null, BigInteger.MinusOne));
        if (!PythonTypes.IsIterable(value))
            throw new TemplateException("FilterArgumentError", "argument must be iterable");
        List<object?> items = PythonTypes.ToList(state.Budget, value);
        items.Reverse();
        return value is PyIterator ? new PyList(items) : new PyIterator(items, value is PyList ? "list_reverseiterator" : "reversed");
    }

    private static object? Sort(RenderState state, object? value, Arguments arguments)
    {
        object?[] bound = Filters.Bound(arguments, "do_sort", 0, "reverse", "case_sensitive", "attribute");
        bool ignoresCase = !IsTrue(bound[1]);
        Func<object?, object?>[] getters = bound[2] is string paths ? [.. paths.Split(',').Select(path => Getter(state, path, ignoresCase))] : [Getter(state, bound[2], ignoresCase)];
        return Sorted(state, PythonTypes.ToList(state.Budget, value), item => new PyTuple([.. getters.Select(getter => getter(item))]), IsTrue(bound[0]));
    }

    private static PyList Sorted(RenderState state, List<object?> items, Func<object?, object?> key, bool reverse)
    {
        object?[] array = [.. items];
        state.Budget.Charge(array.Length * 4L);
        PythonCompare.Sort(state.Budget, Array.ConvertAll(array, item => key(item)), array, reverse);
        return new PyList([.. array]);
    }

    private static object? DictSort(RenderState state, object? value, Arguments arguments)
    {
        object?[] bound = Filters.Bound(arguments, "do_dictsort", 0, "case_sensitive", "by", "reverse");
        int position = bound[1] == Missing.Value || bound[1] is "key" ? 0 : bound[1] is "value" ? 1
            : throw new TemplateException("FilterArgumentError", "You can only sort by either \"key\" or \"value\"");
        if (value is Undefined undefined)
            throw undefined.Error();
        if (value is not PyDict dict)
            throw new TemplateException("AttributeError", $"'{PythonTypes.Name(value)}' object has no attribute 'items'");
        Func<object?, object?> getter = Getter(state, null, !IsTrue(bound[0]));
        List<object?> pairs = PythonTypes.ToList(state.Budget, new PyView(dict, "items"));
        return Sorted(state, pairs, pair => getter(((PyTuple)pair!).Items[position]), IsTrue(bound[2]));
    }

    private static object? GroupBy(RenderState state, object? value, Arguments arguments)
    {
        object?[] bound = Filters.Bound(arguments, "do_groupby", 1, "attribute", "default", "case_sensitive");
        object? fallback = bound[1] == Missing.Value ? null : bound[1];
        Func<object?, object?> key = Getter(state, bound[0], !IsTrue(bound[2]), fallback), shown = Getter(state, bound[0], false, fallback);
        var groups = new List<object?>();
        object? last = Missing.Value;
        List<object?> group = [];
        foreach (object? item in Sorted(state, PythonTypes.ToList(state.Budget, value), key, reverse: false).Items)
        {
            object? own = key(item);
            if (last == Missing.Value || !PythonCompare.AreEqual(state.Budget, last, own))
            {
                group = [];
                state.Budget.Charge(4);
                groups.Add(new PyTuple([shown(item), new PyList(group)], isGroup: true));
            }

            group.Add(item);
            last = own;
        }

        return new PyList(groups);
    }

    private static object? Sum(RenderState state, object? value, Arguments arguments)
    {
        object?[] bound = Filters.Bound(arguments, "do_sum", 0, "attribute", "start");
        Func<object?, object?> getter = Getter(state, bound[0]);
        object? sum = bound[1] == Missing.Value ? BigInteger.Zero : bound[1];
        if (sum is string)
            throw PythonTypes.TypeError("sum() can't sum strings [use ''.join(seq) instead]");
        foreach (object? item in PythonTypes.Iterate(state.Budget, value))
            sum = PythonNumbers.Binary(state, "+", sum, getter(item));
        return sum;
    }

    private static object? Extreme(RenderState state, object? value, Arguments arguments, string op)
    {
        object?[] bound = Filters.Bound(arguments, op == "<" ? "do_min" : "do_max", 0, "case_sensitive", "attribute");
        Func<object?, object?> getter = Getter(state, bound[1], !IsTrue(bound[0]));
        object? best = Missing.Value, bestKey = null;
        foreach (object? item in PythonTypes.Iterate(state.Budget, value))
        {
            object? key = getter(item);
            if (best == Missing.Value || PythonCompare.Order(state.Budget, op, key, bestKey))
                (best, bestKey) = (item, key);
        }

        return best == Missing.Value ? new Undefined("No aggregated item, sequence was empty.") : best;
    }

    private static IEnumerable<object?> Unique(RenderState state, object? value, object?[] bound)
    {
        Func<object?, object?> getter = Getter(state, bound[1], !IsTrue(bound[0]));
        var seen = new PyDict(state.Budget);
        foreach (object? item in PythonTypes.Iterate(state.Budget, value))
        {
            object? key = getter(item);
            if (seen.TryGet(key, out _))
                continue;
            state.Budget.Charge(4);
            seen.Set(key, null);
            yield return item;
        }
    }

    private static IEnumerable<object?> Batch(RenderState state, object? value, object?[] bound)
    {
        int count = PythonTypes.SmallIndex(bound[0]);
        List<object?> batch = [];
        foreach (object? item in PythonTypes.Iterate(state.Budget, value))
        {
            if (batch.Count == count)
            {
                yield return new PyList(batch);
                batch = [];
            }

            state.Budget.Charge(1);
            batch.Add(item);
        }

        if (batch.Count > 0)
        {
            int missing = bound[1] == Missing.Value || bound[1] is null ? 0 : Math.Max(0, count - batch.Count);
            state.Budget.Charge(missing);
            batch.AddRange(Enumerable.Repeat(bound[1], missing));
            yield return new PyList(batch);
        }
    }

    private static IEnumerable<object?> Slices(RenderState state, object? value, object?[] bound)
    {
        List<object?> items = PythonTypes.ToList(state.Budget, value);
        int slices = PythonTypes.SmallIndex(bound[0]);
        if (slices == 0)
            throw new TemplateException("ZeroDivisionError", "integer division or modulo by zero");
        int at = 0;
        for (int i = 0; i < slices; i++)
        {
            state.Budget.Step();
            bool isLonger = i < items.Count % slices;
            int size = (items.Count / slices) + (isLonger ? 1 : 0);
            state.Budget.Charge(size + 1);
            List<object?> part = items.GetRange(at, size);
            at += size;
            if (!isLonger && bound[1] != Missing.Value && bound[1] is not null)
                part.Add(bound[1]);
            yield return new PyList(part);
        }
    }
}
