using System.Globalization;
using Puna.Runtime.Constraints.Automata;
using Puna.Runtime.Constraints.Machines;
using Puna.Tensors;

namespace Puna.Runtime.Constraints;

/// <summary>Reads GBNF: <c>name ::= "text" [a-z] other (a | b)* {1,3} # comment</c>. A single = or : after the name is taken as well, as EBNF has it.</summary>
internal sealed class GrammarParser
{
    private readonly string _text;
    private readonly CompileBudget _budget;
    private readonly GrammarRules _rules = new();
    private readonly Dictionary<string, int> _names = new(StringComparer.Ordinal);
    private readonly HashSet<int> _defined = [];
    private int _at;
    private int _depth;
    private int _symbols;

    private GrammarParser(string text, CompileBudget budget) => (_text, _budget) = (text, budget);

    public static GrammarRules Parse(string text, CompileBudget budget)
    {
        var parser = new GrammarParser(text, budget);
        int root = parser.Rule("root");
        parser.Skip(true);
        while (parser._at < text.Length)
        {
            parser.Definition();
            parser.Skip(true);
        }

        foreach ((string name, int rule) in parser._names)
        {
            if (!parser._defined.Contains(rule))
            {
                throw new PunaException($"rule {name}: expected a definition, got none (grammar)");
            }
        }

        return root == 0 && parser._rules.Prune("grammar") ? parser._rules : throw new PunaException("grammar: expected a root that produces some text, got one that produces none (grammar)");
    }

    private PunaException Error(string expected, string got) => new($"grammar: expected {expected}, got {got} at character {_at} (grammar)");

    private string Here => _at < _text.Length ? _text[_at].ToString() : "the end";

    private int Rule(string name)
    {
        if (!_names.TryGetValue(name, out int rule))
        {
            _names.Add(name, rule = _rules.Add(name));
            Count();
        }

        return rule;
    }

    private void Count()
    {
        _budget.Tick("grammar");
        if (++_symbols > _budget.Limits.MaxNodes)
        {
            throw Error($"at most {_budget.Limits.MaxNodes} symbols", "more");
        }
    }

    /// <summary>Skips blanks and comments; line breaks too where they do not end a rule.</summary>
    private void Skip(bool lines)
    {
        while (_at < _text.Length && (_text[_at] is ' ' or '\t' or '#' || (lines && _text[_at] is ('\n' or '\r'))))
        {
            if (_text[_at] == '#')
            {
                while (_at < _text.Length && _text[_at] is not ('\n' or '\r'))
                {
                    _at++;
                }
            }
            else
            {
                _at++;
            }
        }
    }

    private bool Take(string token)
    {
        if (string.CompareOrdinal(_text, _at, token, 0, token.Length) != 0)
        {
            return false;
        }

        _at += token.Length;
        return true;
    }

    private string Name()
    {
        int from = _at;
        while (_at < _text.Length && (char.IsAsciiLetterOrDigit(_text[_at]) || _text[_at] is '-' or '_'))
        {
            _at++;
        }

        return _at > from ? _text[from.._at] : throw Error("the name of a rule", Here);
    }

    private void Definition()
    {
        string name = Name();
        int rule = Rule(name);
        Skip(false);
        if (!Take("::=") && !Take("=") && !Take(":"))
        {
            throw Error("::=", Here);
        }

        if (!_defined.Add(rule))
        {
            throw new PunaException($"rule {name}: expected one definition, got two (grammar)");
        }

        Skip(true);
        Alternatives(rule, false);
        Take(";");
        Skip(false);
        if (_at < _text.Length && _text[_at] is not ('\n' or '\r'))
        {
            throw Error("a line break", Here);
        }
    }

    private void Alternatives(int rule, bool nested)
    {
        if (++_depth > _budget.Limits.MaxDepth)
        {
            throw Error($"at most {_budget.Limits.MaxDepth} nested groups", "more");
        }

        while (true)
        {
            _rules.Rules[rule].Add([.. Sequence(nested)]);
            int before = _at;
            Skip(true);
            if (!Take("|"))
            {
                _at = nested ? _at : before;
                break;
            }

            Skip(true);
        }

        _depth--;
    }

    private List<GrammarSymbol> Sequence(bool nested)
    {
        var sequence = new List<GrammarSymbol>();
        while (true)
        {
            Skip(nested);
            if (_at == _text.Length || _text[_at] is ('\n' or '\r' or '|' or ')' or ';'))
            {
                return sequence;
            }

            List<GrammarSymbol> item = Item();
            Skip(nested);
            if (_at < _text.Length && _text[_at] is ('*' or '+' or '?' or '{'))
            {
                Repeat(item, sequence);
            }
            else
            {
                sequence.AddRange(item);
            }

            Count();
        }
    }

    private List<GrammarSymbol> Item()
    {
        switch (_text[_at])
        {
            case '"':
                return Literal();
            case '[':
                return [new(Class(), -1)];
            case '.':
                _at++;
                return [new(CodePointSet.All, -1)];
            case '(':
                _at++;
                int group = _rules.Add("(group)");
                Alternatives(group, true);
                Skip(true);
                return Take(")") ? [new(null, group)] : throw Error(")", Here);
            default:
                return [new(null, Rule(Name()))];
        }
    }

    private List<GrammarSymbol> Literal()
    {
        var symbols = new List<GrammarSymbol>();
        _at++;
        while (!Take("\""))
        {
            symbols.Add(new(CodePointSet.Single(Character("\"")), -1));
            Count();
        }

        return symbols;
    }

    private CodePointSet Class()
    {
        _at++;
        bool negated = Take("^");
        var ranges = new List<(int, int)>();
        while (!Take("]"))
        {
            int low = Character("]");
            int high = low;
            if (_at + 1 < _text.Length && _text[_at] == '-' && _text[_at + 1] != ']')
            {
                _at++;
                high = Character("]");
            }

            ranges.Add(low <= high ? (low, high) : throw Error("a range in order", "one that is not"));
        }

        CodePointSet set = CodePointSet.Of(ranges);
        return negated ? set.Complement() : set;
    }

    private int Character(string end)
    {
        if (_at >= _text.Length || _text[_at] is ('\n' or '\r'))
        {
            throw Error(end, Here);
        }

        char c = _text[_at++];
        if (c != '\\')
        {
            return char.IsHighSurrogate(c) && _at < _text.Length && char.IsLowSurrogate(_text[_at]) ? char.ConvertToUtf32(c, _text[_at++]) : c;
        }

        if (_at == _text.Length)
        {
            throw Error("a character after \\", "the end");
        }

        c = _text[_at++];
        return c switch
        {
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'x' => Hex(2),
            'u' => Hex(4),
            'U' => Hex(8),
            '"' or '\\' or '[' or ']' or '-' or '^' or '/' => c,
            _ => throw Error("a known escape", "\\" + c),
        };
    }

    private int Hex(int digits)
    {
        if (_at + digits > _text.Length || !int.TryParse(_text.AsSpan(_at, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out int value) || value is < 0 or > CodePointDfa.Last)
        {
            throw Error($"a code point of {digits} hexadecimal digits", Here);
        }

        _at += digits;
        return value;
    }

    private void Repeat(List<GrammarSymbol> item, List<GrammarSymbol> sequence)
    {
        (int min, int? max) = _text[_at++] switch { '*' => (0, null), '+' => (1, null), '?' => (0, 1), _ => Braces() };
        GrammarSymbol[] body = [.. item];
        for (int i = 0; i < min; i++)
        {
            sequence.AddRange(body);
            Count();
        }

        if (max is null)
        {
            // more ::= body more | nothing. A body that may be empty would begin with itself and is refused as left recursion.
            int more = _rules.Add("(repetition)");
            _rules.Rules[more].Add([.. body, new(null, more)]);
            _rules.Rules[more].Add([]);
            sequence.Add(new(null, more));
            return;
        }

        int? inner = null;
        for (int i = min; i < max; i++)
        {
            int optional = _rules.Add("(repetition)");
            _rules.Rules[optional].Add(inner is { } rest ? [.. body, new(null, rest)] : body);
            _rules.Rules[optional].Add([]);
            inner = optional;
            Count();
        }

        if (inner is { } outer)
        {
            sequence.Add(new(null, outer));
        }
    }

    private (int Min, int? Max) Braces()
    {
        int end = _text.IndexOf('}', _at);
        string[] parts = end < 0 ? [] : _text[_at..end].Split(',', StringSplitOptions.TrimEntries);
        if (parts.Length is 0 or > 2 || !int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out int min))
        {
            throw Error("{n}, {n,} or {n,m}", Here);
        }

        int? max = min;
        if (parts.Length == 2)
        {
            max = parts[1].Length == 0 ? null : int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out int most) ? most : throw Error("{n}, {n,} or {n,m}", Here);
        }

        _at = end + 1;
        return min <= (max ?? int.MaxValue) ? (min, max) : throw Error("a range in order", $"{{{min},{max}}}");
    }
}
