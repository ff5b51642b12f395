using System.Numerics;

namespace Puna.Text.Templates;

/// <summary>Jinja's tests, as in <c>x is defined</c>.</summary>
internal static class TemplateTests
{
    private delegate bool Test(RenderState state, object? value, Arguments arguments);

    private static readonly Dictionary<string, Test> Table = new(StringComparer.Ordinal)
    {
        ["odd"] = static (state, v, a) => Rest(state, v, BigInteger.One + 1) is BigInteger { IsOne: true } or 1.0,
        ["even"] = static (state, v, a) => Rest(state, v, BigInteger.One + 1) is BigInteger { IsZero: true } or 0.0,
        ["divisibleby"] = static (state, v, a) => Rest(state, v, a.Bind("test_divisibleby", 1, "num")[0]) is BigInteger { IsZero: true } or 0.0,
        ["defined"] = static (_, v, _) => v is not Undefined,
        ["undefined"] = static (_, v, _) => v is Undefined,
        ["filter"] = static (_, v, _) => v is string name && Filters.Exists(name),
        ["test"] = static (_, v, _) => v is string name && Exists(name),
        ["none"] = static (_, v, _) => v is null,
        ["boolean"] = static (_, v, _) => v is bool,
        ["false"] = static (_, v, _) => v is false,
        ["true"] = static (_, v, _) => v is true,
        ["integer"] = static (_, v, _) => v is BigInteger,
        ["float"] = static (_, v, _) => v is double,
        ["lower"] = static (state, v, _) => StringMethods.IsCased(PythonRepr.Str(state.Budget, v), upper: false),
        ["upper"] = static (state, v, _) => StringMethods.IsCased(PythonRepr.Str(state.Budget, v), upper: true),
        ["string"] = static (_, v, _) => v is string,
        ["mapping"] = static (_, v, _) => v is PyDict,
        ["number"] = static (_, v, _) => PythonNumbers.IsNumber(v),
        ["sequence"] = static (_, v, _) => v is string or PyList or PyTuple or PyDict or PyRange or Undefined { },
        ["iterable"] = static (_, v, _) => PythonTypes.IsIterable(v),
        ["callable"] = static (_, v, _) => v is PyFunction or LoopContext or Undefined,
        ["sameas"] = static (_, v, a) => a.Bind("test_sameas", 1, "other")[0] is var other
            && (ReferenceEquals(v, other) || (v is bool x && other is bool y && x == y) || (v is BigInteger i && other is BigInteger j && i == j && i >= -5 && i <= 256) || (v is string s && other is string t && s == t)),
        ["escaped"] = static (_, _, _) => false,
        ["in"] = static (state, v, a) => PythonCompare.Contains(state.Budget, a.Bind("test_in", 1, "seq")[0], v),
        ["=="] = Compared("=="),
        ["eq"] = Compared("=="),
        ["equalto"] = Compared("=="),
        ["!="] = Compared("!="),
        ["ne"] = Compared("!="),
        [">"] = Compared(">"),
        ["gt"] = Compared(">"),
        ["greaterthan"] = Compared(">"),
        [">="] = Compared(">="),
        ["ge"] = Compared(">="),
        ["<"] = Compared("<"),
        ["lt"] = Compared("<"),
        ["lessthan"] = Compared("<"),
        ["<="] = Compared("<="),
        ["le"] = Compared("<="),
    };

    /// <summary>Whether there is a test of this name.</summary>
    public static bool Exists(string name) => Table.ContainsKey(name);

    /// <summary>Whether a test holds.</summary>
    public static bool Apply(RenderState state, string name, object? value, Arguments arguments)
    {
        state.Budget.Step();
        return Table.TryGetValue(name, out Test? test) ? test(state, value, arguments)
            : throw new TemplateException("TemplateRuntimeError", $"No test named {PythonRepr.Quote(name)} found.");
    }

    private static object? Rest(RenderState state, object? value, object? divisor) => PythonNumbers.Binary(state, "%", value, divisor);

    private static Test Compared(string op) => (state, value, arguments) =>
        Comparison.Holds(state.Budget, op, value, arguments.Bind(op, 1, "other")[0]);
}
