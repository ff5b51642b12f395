using System.Numerics;
using System.Text;
using Puna.Text.Chat;

namespace Puna.Text.Templates;

/// <summary>Methods of strings, as Python has them.</summary>
internal static class StringMethods
{
    private delegate object? Method(RenderState state, string text, Arguments arguments);

    private static readonly Dictionary<string, Method> Methods = new(StringComparer.Ordinal)
    {
        ["upper"] = None("upper", Upper),
        ["lower"] = None("lower", Lower),
        ["casefold"] = None("casefold", static s => Lower(s.Replace("ß", "ss", StringComparison.Ordinal))),
        ["capitalize"] = None("capitalize", Capitalize),
        ["title"] = None("title", Title),
        ["swapcase"] = None("swapcase", static s => string.Concat(s.Select(static c => char.IsUpper(c) ? char.ToLowerInvariant(c) : char.ToUpperInvariant(c)))),
        ["strip"] = static (_, s, a) => Strip(s, Chars(a, "strip"), true, true),
        ["lstrip"] = static (_, s, a) => Strip(s, Chars(a, "lstrip"), true, false),
        ["rstrip"] = static (_, s, a) => Strip(s, Chars(a, "rstrip"), false, true),
        ["split"] = static (state, s, a) => Split(state, s, a, "split", fromRight: false),
        ["rsplit"] = static (state, s, a) => Split(state, s, a, "rsplit", fromRight: true),
        ["splitlines"] = static (state, s, a) => SplitLines(state, s, a.Bind("splitlines", 0, "keepends")[0] is var keep && keep != Missing.Value && PythonTypes.Truth(keep)),
        ["startswith"] = static (state, s, a) => HasEnd(state, s, a, "startswith", atStart: true),
        ["endswith"] = static (state, s, a) => HasEnd(state, s, a, "endswith", atStart: false),
        ["replace"] = static (state, s, a) =>
        {
            object?[] bound = a.Bind("replace", 2, "old", "new", "count");
            return Replace(state.Budget, s, Text(bound[0], "replace() argument 1"), Text(bound[1], "replace() argument 2"), bound[2] == Missing.Value ? -1 : PythonTypes.SmallIndex(bound[2]));
        },
        ["join"] = static (state, s, a) => Join(state, s, a.Bind("join", 1, "iterable")[0]),
        ["find"] = static (state, s, a) => (BigInteger)Find(state, s, a, "find", fromRight: false),
        ["rfind"] = static (state, s, a) => (BigInteger)Find(state, s, a, "rfind", fromRight: true),
        ["index"] = static (state, s, a) => Find(state, s, a, "index", fromRight: false) is >= 0 and int i ? (BigInteger)i : throw PythonTypes.ValueError("substring not found"),
        ["rindex"] = static (state, s, a) => Find(state, s, a, "rindex", fromRight: true) is >= 0 and int i ? (BigInteger)i : throw PythonTypes.ValueError("substring not found"),
        ["count"] = static (state, s, a) => Count(state, s, a),
        ["removeprefix"] = static (_, s, a) => Text(a.Bind("removeprefix", 1, "prefix")[0], "removeprefix() argument") is var p && s.StartsWith(p, StringComparison.Ordinal) ? s[p.Length..] : s,
        ["removesuffix"] = static (_, s, a) => Text(a.Bind("removesuffix", 1, "suffix")[0], "removesuffix() argument") is var p && s.EndsWith(p, StringComparison.Ordinal) ? s[..^p.Length] : s,
        ["partition"] = static (_, s, a) => Partition(s, a, "partition", fromRight: false),
        ["rpartition"] = static (_, s, a) => Partition(s, a, "rpartition", fromRight: true),
        ["center"] = static (state, s, a) => Pad(state.Budget, s, a, "center"),
        ["ljust"] = static (state, s, a) => Pad(state.Budget, s, a, "ljust"),
        ["rjust"] = static (state, s, a) => Pad(state.Budget, s, a, "rjust"),
        ["zfill"] = static (state, s, a) => FillZeros(state.Budget, s, PythonTypes.SmallIndex(a.Bind("zfill", 1, "width")[0])),
        ["expandtabs"] = static (state, s, a) => ExpandTabs(state.Budget, s, a),
        ["format"] = static (state, s, a) => BraceFormat.Apply(state, s, a),
        ["format_map"] = static (state, s, a) => a.Bind("format_map", 1, "mapping")[0] is PyDict dict
            ? BraceFormat.Apply(state, s, new Arguments { Named = [.. dict.Items.Where(static p => p.Key is string).Select(static p => new KeyValuePair<string, object?>((string)p.Key!, p.Value))] })
            : throw PythonTypes.TypeError("format_map() argument must be a mapping"),
        ["isdigit"] = Every("isdigit", static c => char.IsDigit(c) || c is '²' or '³' or '¹' or (>= '⁰' and <= '₉')),
        ["isdecimal"] = Every("isdecimal", char.IsDigit),
        ["isnumeric"] = Every("isnumeric", char.IsNumber),
        ["isalpha"] = Every("isalpha", char.IsLetter),
        ["isalnum"] = Every("isalnum", static c => char.IsLetter(c) || char.IsNumber(c)),
        ["isspace"] = Every("isspace", PythonText.IsSpace),
        ["isascii"] = static (_, s, a) => a.Bind("isascii", 0).Length == 0 && System.Text.Ascii.IsValid(s),
        ["isprintable"] = static (_, s, _) => s.EnumerateRunes().All(static rune => PythonRepr.IsPrintable(rune.Value)),
        ["isidentifier"] = static (_, s, _) => s.Length > 0 && !char.IsDigit(s[0]) && s.All(static c => c == '_' || char.IsLetterOrDigit(c)),
        ["isupper"] = static (_, s, _) => IsCased(s, upper: true),
        ["islower"] = static (_, s, _) => IsCased(s, upper: false),
        ["istitle"] = static (_, s, _) => s.Any(static c => char.IsUpper(c) || char.IsLower(c)) && Title(s) == s,
    };

    /// <summary>A method, or null.</summary>
    public static PyFunction? Find(string text, string name) => Methods.TryGetValue(name, out Method? method)
        ? new PyFunction(name, "builtin_function_or_method", (state, arguments) =>
        {
            state.Budget.Charge(text.Length);
            return method(state, text, arguments);
        })
        : null;

    /// <summary>Upper case; <c>ß</c> becomes two letters.</summary>
    public static string Upper(string text) => text.ToUpperInvariant().Replace("ß", "SS", StringComparison.Ordinal);

    /// <summary>Lower case.</summary>
    public static string Lower(string text) => text.ToLowerInvariant();

    /// <summary>First letter in upper case, the rest in lower.</summary>
    public static string Capitalize(string text) => text.Length == 0 ? text : Upper(text[..1]) + Lower(text[1..]);

    /// <summary>Whether there are letters with case, all of one.</summary>
    public static bool IsCased(string text, bool upper) =>
        text.Any(c => upper ? char.IsUpper(c) : char.IsLower(c)) && !text.Any(c => upper ? char.IsLower(c) : char.IsUpper(c));

    /// <summary>Takes characters off the ends; white space where <paramref name="chars"/> is null.</summary>
    public static string Strip(string text, string? chars, bool start, bool end)
    {
        int from = 0, to = text.Length;
        while (start && from < to && IsIn(text[from]))
            from++;
        while (end && to > from && IsIn(text[to - 1]))
            to--;
        return text[from..to];

        bool IsIn(char c) => chars is null ? PythonText.IsSpace(c) : chars.Contains(c);
    }

    /// <summary>Python's <c>replace</c>; a negative count means all.</summary>
    public static string Replace(Budget budget, string text, string old, string with, int count)
    {
        var result = new StringBuilder();
        int at = 0;
        if (old.Length == 0)
        {
            // Between all characters, and at both ends.
            for (int done = 0; count < 0 || done < count; done++)
            {
                budget.Charge(with.Length + 2);
                result.Append(with);
                if (at == text.Length)
                    return result.ToString();
                int size = at + 1 < text.Length && char.IsSurrogatePair(text[at], text[at + 1]) ? 2 : 1;
                result.Append(text, at, size);
                at += size;
            }

            return result.Append(text, at, text.Length - at).ToString();
        }

        for (int done = 0; count < 0 || done < count; done++)
        {
            int found = text.IndexOf(old, at, StringComparison.Ordinal);
            if (found < 0)
                break;
            budget.Charge(with.Length + found - at);
            result.Append(text, at, found - at).Append(with);
            at = found + old.Length;
        }

        budget.Charge(text.Length - at);
        return result.Append(text, at, text.Length - at).ToString();
    }

    /// <summary>Lines without their ends, or with them.</summary>
    public static PyList SplitLines(RenderState state, string text, bool keepEnds)
    {
        var lines = new List<object?>();
        for (int at = 0; at < text.Length;)
        {
            int end = at;
            while (end < text.Length && text[end] is not ('\n' or '\r' or '\v' or '\f' or '\u001c' or '\u001d' or '\u001e' or '\u0085' or '\u2028' or '\u2029'))
                end++;
            int next = end < text.Length ? end + (text[end] == '\r' && end + 1 < text.Length && text[end + 1] == '\n' ? 2 : 1) : end;
            state.Budget.Charge(next - at + 1);
            lines.Add(text[at..(keepEnds ? next : end)]);
            at = next;
        }

        return new PyList(lines);
    }

    /// <summary>Blanks on both sides.</summary>
    public static string Center(Budget budget, string text, int width, string fill = " ")
    {
        int missing = width - CodePoints.Length(text);
        if (missing <= 0)
            return text;
        budget.Charge(missing);
        int left = (missing / 2) + (missing & width & 1);
        return Times(fill, left) + text + Times(fill, missing - left);
    }

    /// <summary>An argument that must be a string.</summary>
    public static string Text(object? value, string what) => value as string ?? throw PythonTypes.TypeError($"{what} must be str, not {PythonTypes.Name(value)}");

    private static Method None(string name, Func<string, string> change) => (_, text, arguments) =>
    {
        arguments.Bind($"str.{name}", 0);
        return change(text);
    };

    private static Method Every(string name, Func<char, bool> holds) => (_, text, arguments) =>
    {
        arguments.Bind($"str.{name}", 0);
        return text.Length > 0 && text.All(holds);
    };

    private static string? Chars(Arguments arguments, string name)
    {
        object? chars = arguments.Bind(name, 0, "chars")[0];
        return chars == Missing.Value || chars is null ? null
            : chars as string ?? throw PythonTypes.TypeError($"{name} arg must be None or str");
    }

    private static string Title(string text)
    {
        var result = new StringBuilder(text.Length);
        bool follows = false;
        foreach (char c in text)
        {
            bool isCased = char.IsUpper(c) || char.IsLower(c);
            result.Append(follows ? char.ToLowerInvariant(c) : char.ToUpperInvariant(c));
            follows = isCased;
        }

        return result.ToString();
    }

    private static PyList Split(RenderState state, string text, Arguments arguments, string name, bool fromRight)
    {
        object?[] bound = arguments.Bind(name, 0, "sep", "maxsplit");
        int most = bound[1] == Missing.Value ? -1 : PythonTypes.SmallIndex(bound[1]);
        var parts = new List<object?>();
        if (bound[0] == Missing.Value || bound[0] is null)
            SplitAtSpace(text, most, fromRight, parts);
        else if (Text(bound[0], "sep") is { Length: > 0 } separator)
            SplitAt(text, separator, most, fromRight, parts);
        else
            throw PythonTypes.ValueError("empty separator");
        state.Budget.Charge(parts.Count);
        if (fromRight)
            parts.Reverse();
        return new PyList(parts);
    }

    private static void SplitAt(string text, string separator, int most, bool fromRight, List<object?> parts)
    {
        int from = 0, to = text.Length;
        while (most < 0 || parts.Count < most)
        {
            int found = fromRight ? text.AsSpan(0, to).LastIndexOf(separator, StringComparison.Ordinal) : text.IndexOf(separator, from, StringComparison.Ordinal);
            if (found < 0)
                break;
            parts.Add(fromRight ? text[(found + separator.Length)..to] : text[from..found]);
            (from, to) = fromRight ? (0, found) : (found + separator.Length, to);
        }

        parts.Add(text[from..to]);
    }

    private static void SplitAtSpace(string text, int most, bool fromRight, List<object?> parts)
    {
        int from = 0, to = text.Length;
        while (true)
        {
            while (from < to && PythonText.IsSpace(fromRight ? text[to - 1] : text[from]))
                (from, to) = fromRight ? (from, to - 1) : (from + 1, to);
            if (from == to)
                return;
            if (most >= 0 && parts.Count == most)
            {
                parts.Add(text[from..to]);
                return;
            }

            int end = fromRight ? to : from;
            while (fromRight ? end > from && !PythonText.IsSpace(text[end - 1]) : end < to && !PythonText.IsSpace(text[end]))
                end += fromRight ? -1 : 1;
            parts.Add(fromRight ? text[end..to] : text[from..end]);
            (from, to) = fromRight ? (from, end) : (end, to);
        }
    }

    private static bool HasEnd(RenderState state, string text, Arguments arguments, string name, bool atStart)
    {
        object?[] bound = arguments.Bind(name, 1, "prefix", "start", "end");
        string part = Part(text, bound[1], bound[2], out _);
        return bound[0] switch
        {
            string one => Holds(one),
            PyTuple many => PythonTypes.Iterate(state.Budget, many).Any(one => Holds(Text(one, $"tuple for {name}"))),
            _ => throw PythonTypes.TypeError($"{name} first arg must be str or a tuple of str, not {PythonTypes.Name(bound[0])}"),
        };

        bool Holds(string one) => atStart ? part.StartsWith(one, StringComparison.Ordinal) : part.EndsWith(one, StringComparison.Ordinal);
    }

    private static int Find(RenderState state, string text, Arguments arguments, string name, bool fromRight)
    {
        object?[] bound = arguments.Bind(name, 1, "sub", "start", "end");
        string sub = Text(bound[0], "must be str:");
        string part = Part(text, bound[1], bound[2], out int offset);
        state.Budget.Charge(part.Length);
        int found = fromRight ? part.LastIndexOf(sub, StringComparison.Ordinal) : part.IndexOf(sub, StringComparison.Ordinal);
        return found < 0 || offset < 0 ? -1 : offset + CodePoints.FromUtf16(part, found);
    }

    private static BigInteger Count(RenderState state, string text, Arguments arguments)
    {
        object?[] bound = arguments.Bind("count", 1, "sub", "start", "end");
        string sub = Text(bound[0], "must be str:"), part = Part(text, bound[1], bound[2], out _);
        if (sub.Length == 0)
            return CodePoints.Length(part) + 1;
        int count = 0;
        for (int at = part.IndexOf(sub, StringComparison.Ordinal); at >= 0; at = part.IndexOf(sub, at + sub.Length, StringComparison.Ordinal))
            count++;
        state.Budget.Charge(count);
        return count;
    }

    /// <summary>The part between two code points; the offset is -1 where it starts behind the end.</summary>
    private static string Part(string text, object? start, object? end, out int offset)
    {
        offset = 0;
        if ((start == Missing.Value || start is null) && (end == Missing.Value || end is null))
            return text;
        int length = CodePoints.Length(text);
        int from = start == Missing.Value || start is null ? 0 : PythonTypes.SmallIndex(start);
        int to = end == Missing.Value || end is null ? length : PythonTypes.SmallIndex(end);
        from = Math.Max(0, from < 0 ? from + length : from);
        to = Math.Clamp(to < 0 ? to + length : to, 0, length);
        offset = from > length ? -1 : from;
        return from >= to ? "" : text[CodePoints.ToUtf16(text, from)..CodePoints.ToUtf16(text, to)];
    }

    private static string Join(RenderState state, string separator, object? items)
    {
        if (!PythonTypes.IsIterable(items))
            throw PythonTypes.TypeError("can only join an iterable");
        var result = new StringBuilder();
        int index = 0;
        foreach (object? item in PythonTypes.Iterate(state.Budget, items))
        {
            string text = item as string ?? throw PythonTypes.TypeError($"sequence item {index}: expected str instance, {PythonTypes.Name(item)} found");
            state.Budget.Charge(text.Length + separator.Length);
            _ = index++ > 0 ? result.Append(separator).Append(text) : result.Append(text);
        }

        return result.ToString();
    }

    private static PyTuple Partition(string text, Arguments arguments, string name, bool fromRight)
    {
        string separator = Text(arguments.Bind(name, 1, "sep")[0], "must be str:");
        if (separator.Length == 0)
            throw PythonTypes.ValueError("empty separator");
        int found = fromRight ? text.LastIndexOf(separator, StringComparison.Ordinal) : text.IndexOf(separator, StringComparison.Ordinal);
        return found >= 0 ? new PyTuple([text[..found], separator, text[(found + separator.Length)..]])
            : fromRight ? new PyTuple(["", "", text]) : new PyTuple([text, "", ""]);
    }

    private static string Pad(Budget budget, string text, Arguments arguments, string name)
    {
        object?[] bound = arguments.Bind(name, 1, "width", "fillchar");
        string fill = bound[1] == Missing.Value ? " " : Text(bound[1], "The fill character");
        if (CodePoints.Length(fill) != 1)
            throw PythonTypes.TypeError("The fill character must be exactly one character long");
        int width = PythonTypes.SmallIndex(bound[0]), missing = width - CodePoints.Length(text);
        if (name == "center")
            return Center(budget, text, width, fill);
        if (missing <= 0)
            return text;
        budget.Charge(missing);
        return name == "ljust" ? text + Times(fill, missing) : Times(fill, missing) + text;
    }

    private static string FillZeros(Budget budget, string text, int width)
    {
        int missing = width - CodePoints.Length(text);
        if (missing <= 0)
            return text;
        budget.Charge(missing);
        return text is ['+' or '-', ..] ? text[0] + new string('0', missing) + text[1..] : new string('0', missing) + text;
    }

    private static string ExpandTabs(Budget budget, string text, Arguments arguments)
    {
        object? bound = arguments.Bind("expandtabs", 0, "tabsize")[0];
        int size = bound == Missing.Value ? 8 : PythonTypes.SmallIndex(bound), column = 0;
        var result = new StringBuilder();
        foreach (char c in text)
        {
            if (c == '\t')
            {
                int blanks = size > 0 ? size - (column % size) : 0;
                budget.Charge(blanks);
                result.Append(' ', blanks);
                column += blanks;
            }
            else
            {
                result.Append(c);
                column = c is '\n' or '\r' ? 0 : column + 1;
            }
        }

        return result.ToString();
    }

    private static string Times(string fill, int count) => fill.Length == 1 ? new string(fill[0], count) : new StringBuilder().Insert(0, fill, count).ToString();
}
