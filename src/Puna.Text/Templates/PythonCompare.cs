using System.Numerics;

namespace Puna.Text.Templates;

/// <summary>Equality, order, membership and hashes as Python has them.</summary>
internal static class PythonCompare
{
    /// <summary>Python's <c>==</c>.</summary>
    public static bool AreEqual(Budget budget, object? x, object? y)
    {
        budget.Step();
        switch (x)
        {
            case null:
                return y is null;
            case Undefined:
                return y is Undefined;
            case string text:
                return y is string other && text == other;
            case bool or BigInteger or double:
                return y is bool or BigInteger or double && Numbers(x, y) == 0;
            case PyList list:
                return y is PyList otherList && Same(budget, list.Items, otherList.Items);
            case PyTuple tuple:
                return y is PyTuple otherTuple && Same(budget, tuple.Items, otherTuple.Items);
            case PyDict dict:
                return y is PyDict otherDict && Same(budget, dict, otherDict);
            case PyRange range:
                return y is PyRange r && r.Count == range.Count && (r.Count == 0 || (r.Start == range.Start && (r.Count == 1 || r.Step == range.Step)));
            default:
                return ReferenceEquals(x, y);
        }
    }

    /// <summary>Equality of items inside containers: what is the same object is equal.</summary>
    public static bool AreSame(Budget budget, object? x, object? y) => ReferenceEquals(x, y) || AreEqual(budget, x, y);

    /// <summary>A hash that fits <see cref="AreEqual"/>.</summary>
    public static int Hash(Budget budget, object? value)
    {
        budget.Step();
        switch (value)
        {
            case null:
                return 0;
            case bool b:
                return new BigInteger(b ? 1 : 0).GetHashCode();
            case double d when d == Math.Floor(d) && !double.IsInfinity(d):
                return new BigInteger(d).GetHashCode();
            case PyTuple tuple:
                Budget.CheckStack();
                var hash = default(HashCode);
                foreach (object? item in tuple.Items)
                    hash.Add(Hash(budget, item));
                return hash.ToHashCode();
            case Undefined:
                return 1;
            case PyList or PyDict or PySlice or PyView { Kind: not "values" }:
                throw PythonTypes.TypeError($"unhashable type: '{PythonTypes.Name(value)}'");
            default:
                return value.GetHashCode();
        }
    }

    /// <summary>Python's order.</summary>
    /// <param name="budget">Counts.</param>
    /// <param name="op">The operator, for the error.</param>
    /// <param name="x">Left.</param>
    /// <param name="y">Right.</param>
    /// <returns>Whether the operator holds.</returns>
    public static bool Order(Budget budget, string op, object? x, object? y)
    {
        budget.Step();
        if (x is Undefined left)
            throw left.Error();
        if (y is Undefined right)
            throw right.Error();
        if (x is bool or BigInteger or double && y is bool or BigInteger or double)
        {
            // A number that is none compares as false in every way.
            return Numbers(x, y) is int order && Holds(op, order);
        }

        if (x is string a && y is string b)
            return Holds(op, CodePoints.Compare(a, b));
        if (x is PyList listX && y is PyList listY)
            return OrderItems(budget, op, listX.Items, listY.Items);
        if (x is PyTuple tupleX && y is PyTuple tupleY)
            return OrderItems(budget, op, tupleX.Items, tupleY.Items);
        throw PythonTypes.TypeError($"'{op}' not supported between instances of '{PythonTypes.Name(x)}' and '{PythonTypes.Name(y)}'");
    }

    /// <summary>Python's <c>in</c>.</summary>
    public static bool Contains(Budget budget, object? container, object? item)
    {
        switch (container)
        {
            case string text:
                return item switch
                {
                    string part => text.Contains(part, StringComparison.Ordinal),
                    Undefined => throw PythonTypes.TypeError("'in <string>' requires string as left operand, not Undefined"),
                    _ => throw PythonTypes.TypeError($"'in <string>' requires string as left operand, not {PythonTypes.Name(item)}"),
                };
            case PyDict dict:
                return dict.TryGet(item, out _);
            case PyView { Kind: "keys" } view:
                return view.Dict.TryGet(item, out _);
            default:
                if (!PythonTypes.IsIterable(container))
                    throw PythonTypes.TypeError($"argument of type '{PythonTypes.Name(container)}' is not iterable");
                foreach (object? other in PythonTypes.Iterate(budget, container))
                {
                    if (AreSame(budget, other, item))
                        return true;
                }

                return false;
        }
    }

    /// <summary>Sorts by Python's order; equal items keep theirs.</summary>
    public static void Sort(Budget budget, object?[] keys, object?[] items, bool reverse)
    {
        // From the end backwards, so that a reversed order keeps equal items in order too.
        int[] order = [.. Enumerable.Range(0, items.Length)];
        int[] buffer = new int[items.Length];
        Merge(budget, keys, order, buffer, 0, items.Length, reverse);
        object?[] copy = [.. items];
        for (int i = 0; i < order.Length; i++)
            items[i] = copy[order[i]];
    }

    private static void Merge(Budget budget, object?[] keys, int[] order, int[] buffer, int start, int end, bool reverse)
    {
        if (end - start < 2)
            return;
        int middle = (start + end) / 2;
        Merge(budget, keys, order, buffer, start, middle, reverse);
        Merge(budget, keys, order, buffer, middle, end, reverse);
        int left = start, right = middle;
        for (int i = start; i < end; i++)
        {
            bool takesRight = left == middle || (right < end && (reverse
                ? Order(budget, "<", keys[order[left]], keys[order[right]])
                : Order(budget, "<", keys[order[right]], keys[order[left]])));
            buffer[i] = takesRight ? order[right++] : order[left++];
        }

        Array.Copy(buffer, start, order, start, end - start);
    }

    private static bool Holds(string op, int order) => op switch
    {
        "<" => order < 0,
        "<=" => order <= 0,
        ">" => order > 0,
        _ => order >= 0,
    };

    private static bool OrderItems(Budget budget, string op, IReadOnlyList<object?> x, IReadOnlyList<object?> y)
    {
        Budget.CheckStack();
        for (int i = 0; i < Math.Min(x.Count, y.Count); i++)
        {
            if (!AreSame(budget, x[i], y[i]))
                return Order(budget, op, x[i], y[i]);
        }

        return Holds(op, x.Count.CompareTo(y.Count));
    }

    private static bool Same(Budget budget, IReadOnlyList<object?> x, IReadOnlyList<object?> y)
    {
        Budget.CheckStack();
        if (x.Count != y.Count)
            return false;
        for (int i = 0; i < x.Count; i++)
        {
            if (!AreSame(budget, x[i], y[i]))
                return false;
        }

        return true;
    }

    private static bool Same(Budget budget, PyDict x, PyDict y)
    {
        Budget.CheckStack();
        if (x.Count != y.Count)
            return false;
        foreach ((object? key, object? value) in x.Items)
        {
            if (!y.TryGet(key, out object? other) || !AreSame(budget, value, other))
                return false;
        }

        return true;
    }

    /// <summary>Exact order of two numbers; null where one is no number.</summary>
    private static int? Numbers(object x, object y)
    {
        if (x is double a && y is double b)
            return double.IsNaN(a) || double.IsNaN(b) ? null : a.CompareTo(b);
        if (x is double left)
            return -Exact(Integer(y), left);
        return y is double right ? Exact(Integer(x), right) : Integer(x).CompareTo(Integer(y));
    }

    private static int? Exact(BigInteger x, double y)
    {
        if (double.IsNaN(y))
            return null;
        if (double.IsInfinity(y))
            return y > 0 ? -1 : 1;
        double floor = Math.Floor(y);
        int order = x.CompareTo(new BigInteger(floor));
        return order != 0 || floor == y ? order : -1;
    }

    private static BigInteger Integer(object value) => value is bool b ? (b ? 1 : 0) : (BigInteger)value;
}
