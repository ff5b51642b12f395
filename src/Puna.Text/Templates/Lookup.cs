using System.Numerics;

namespace Puna.Text.Templates;

/// <summary>Attributes, items and calls, with the rules of Jinja's sandbox: nothing that starts with an underscore, and nothing that would change a value.</summary>
internal static class Lookup
{
    private static readonly HashSet<string> ListChanges = new(StringComparer.Ordinal) { "append", "clear", "pop", "reverse", "insert", "sort", "extend", "remove" };
    private static readonly HashSet<string> DictChanges = new(StringComparer.Ordinal) { "clear", "pop", "popitem", "setdefault", "update" };

    /// <summary><c>x.name</c>: the attribute, else the item of that name.</summary>
    public static object? Attribute(RenderState state, object? value, string name)
    {
        if (value is Undefined undefined)
            throw undefined.Error();
        if (TryAttribute(value, name, out object? result))
            return result;
        if (value is PyDict dict && dict.TryGet(name, out result))
            return result;
        return NoAttribute(value, name);
    }

    /// <summary><c>x[key]</c>: the item, else the attribute of that name.</summary>
    public static object? Item(RenderState state, object? value, object? key)
    {
        if (value is Undefined undefined)
            throw undefined.Error();
        if (TryItem(state, value, key, out object? result))
            return result;
        if (key is string name)
            return TryAttribute(value, name, out result) ? result : NoAttribute(value, name);
        return new Undefined($"{PythonTypes.Describe(value)} has no element {PythonRepr.Repr(state.Budget, key)}");
    }

    /// <summary>The attribute alone, as the filter <c>attr</c> has it.</summary>
    public static object? AttributeOnly(object? value, string name)
    {
        if (value is Undefined undefined)
            throw undefined.Error();
        return TryAttribute(value, name, out object? result) ? result : NoAttribute(value, name);
    }

    /// <summary>A call.</summary>
    public static object? Call(RenderState state, object? callee, Arguments arguments)
    {
        switch (callee)
        {
            case PyFunction function:
                Budget.CheckStack();
                return function.Call(state, arguments);
            case LoopContext loop:
                return loop.Recurse(arguments.Bind("loop", 1, "iterable")[0]);
            case Undefined undefined:
                throw undefined.Error();
            default:
                throw PythonTypes.TypeError($"'{PythonTypes.Name(callee)}' object is not callable");
        }
    }

    private static Undefined NoAttribute(object? value, string name) =>
        new($"{PythonRepr.Quote(PythonTypes.Describe(value))} has no attribute {PythonRepr.Quote(name)}");

    private static bool TryAttribute(object? value, string name, out object? result)
    {
        bool isUnsafe = name is "__class__" or "__doc__" or "__init__" or "__dir__" or "__eq__" or "__hash__" or "__reduce__" or "__new__" or "__repr__" or "__str__" or "__getattribute__"
            || (value is PyList && ListChanges.Contains(name)) || (value is PyDict && DictChanges.Contains(name));
        if (isUnsafe)
        {
            result = new Undefined($"access to attribute {PythonRepr.Quote(name)} of '{PythonTypes.Name(value)}' object is unsafe.", "SecurityError");
            return true;
        }

        switch (value)
        {
            case string text:
                result = StringMethods.Find(text, name);
                break;
            case PyDict dict:
                result = ContainerMethods.Find(dict, name);
                break;
            case PyList list:
                result = name == "copy" ? ContainerMethods.Copy(list) : ContainerMethods.Find(list.Items, "list", name);
                break;
            case PyTuple tuple:
                if (tuple.IsGroup && name is "grouper" or "list")
                {
                    result = tuple.Items[name == "list" ? 1 : 0];
                    return true;
                }

                result = ContainerMethods.Find(tuple.Items, "tuple", name);
                break;
            case LoopContext loop:
                return loop.TryGet(name, out result);
            case PyNamespace space:
                return space.Attributes.TryGet(name, out result);
            case PyCycler cycler:
                result = cycler.Find(name);
                break;
            case PyFunction { Macro: { } macro }:
                result = name switch
                {
                    "name" => macro.Name,
                    "arguments" => macro.Arguments,
                    "caller" => macro.Caller,
                    "catch_kwargs" => macro.CatchKwargs,
                    "catch_varargs" => macro.CatchVarargs,
                    _ => Missing.Value,
                };
                return result != Missing.Value;
            case double number when name == "is_integer":
                result = new PyFunction(name, "builtin_function_or_method", (_, _) => number == Math.Floor(number) && !double.IsInfinity(number));
                break;
            case bool or BigInteger when name is "bit_length":
                result = new PyFunction(name, "builtin_function_or_method", (_, _) => (BigInteger)BigInteger.Abs(PythonNumbers.Integer(value)).GetBitLength());
                break;
            case bool or BigInteger or double when name is "real":
                result = value;
                break;
            default:
                result = null;
                break;
        }

        return result is not null;
    }

    private static bool TryItem(RenderState state, object? value, object? key, out object? result)
    {
        result = null;
        switch (value)
        {
            case PyDict dict:
                return key is not (PyList or PyDict or PySlice) && dict.TryGet(key, out result);
            case string text when key is PySlice slice:
                result = Sliced(state, text, slice);
                return true;
            case string text when IsIndex(key):
                if (CodePoints.IsPlain(text))
                    return TryIndex(key, text.Length, i => text[i].ToString(), out result);
                object?[] points = [.. CodePoints.Each(text)];
                state.Budget.Charge(points.Length);
                return TryIndex(key, points.Length, i => points[i], out result);
            case PyList list when key is PySlice slice:
                result = new PyList([.. Sliced(state, list.Items, slice)]);
                return true;
            case PyTuple tuple when key is PySlice slice:
                result = new PyTuple([.. Sliced(state, tuple.Items, slice)]);
                return true;
            case PyList list when IsIndex(key):
                return TryIndex(key, list.Items.Count, i => list.Items[i], out result);
            case PyTuple tuple when IsIndex(key):
                return TryIndex(key, tuple.Items.Length, i => tuple.Items[i], out result);
            case PyRange range when IsIndex(key):
                return TryIndex(key, range.Count, i => range.Start + (range.Step * i), out result);
            case PyRange range when key is PySlice slice:
                (int start, int step, int count) = Bounds(slice, range.Count);
                result = new PyRange(range.Start + (range.Step * start), range.Step * step, count);
                return true;
            default:
                return false;
        }
    }

    private static bool IsIndex(object? key) => key is bool or BigInteger;

    private static bool TryIndex(object? key, int length, Func<int, object?> get, out object? result)
    {
        BigInteger index = PythonNumbers.Integer(key!);
        index = index.Sign < 0 ? index + length : index;
        bool isIn = index.Sign >= 0 && index < length;
        result = isIn ? get((int)index) : null;
        return isIn;
    }

    private static string Sliced(RenderState state, string text, PySlice slice)
    {
        bool isPlain = CodePoints.IsPlain(text);
        int length = isPlain ? text.Length : CodePoints.Length(text);
        (int start, int step, int count) = Bounds(slice, length);
        state.Budget.Charge(count);
        if (step == 1)
        {
            int from = CodePoints.ToUtf16(text, start), to = CodePoints.ToUtf16(text, start + count);
            return text[from..to];
        }

        string[] points = isPlain ? [] : [.. CodePoints.Each(text).Select(static point => (string)point!)];
        state.Budget.Charge(points.Length);
        var result = new System.Text.StringBuilder(count);
        for (int i = 0; i < count; i++)
        {
            int at = start + (i * step);
            _ = isPlain ? result.Append(text[at]) : result.Append(points[at]);
        }

        return result.ToString();
    }

    private static object?[] Sliced(RenderState state, IReadOnlyList<object?> items, PySlice slice)
    {
        (int start, int step, int count) = Bounds(slice, items.Count);
        state.Budget.Charge(count);
        object?[] result = new object?[count];
        for (int i = 0; i < count; i++)
            result[i] = items[start + (i * step)];
        return result;
    }

    private static (int Start, int Step, int Count) Bounds(PySlice slice, int length)
    {
        const string Message = "slice indices must be integers or None or have an __index__ method";
        BigInteger step = slice.Step is null ? 1 : PythonTypes.Index(slice.Step, Message);
        if (step.IsZero)
            throw PythonTypes.ValueError("slice step cannot be zero");
        bool isBack = step.Sign < 0;
        BigInteger low = isBack ? -1 : 0, high = isBack ? length - 1 : length;
        BigInteger start = End(slice.Start, isBack ? high : low), stop = End(slice.Stop, isBack ? low : high);
        BigInteger count = isBack ? (start - stop - step - 1) / -step : (stop - start + step - 1) / step;
        bool isEmpty = isBack ? start <= stop : stop <= start;
        // A step too large for an int leaves one item at most.
        int small = (int)BigInteger.Max(-int.MaxValue, BigInteger.Min(int.MaxValue, step));
        return isEmpty ? (0, 1, 0) : ((int)start, count == 1 ? Math.Sign(small) : small, (int)count);

        BigInteger End(object? index, BigInteger absent)
        {
            if (index is null)
                return absent;
            BigInteger value = PythonTypes.Index(index, Message);
            value = value.Sign < 0 ? value + length : value;
            return BigInteger.Max(low, BigInteger.Min(high, value));
        }
    }
}
