using System.Globalization;
using Puna.Tensors;

namespace Puna.Runtime.Constraints.Automata;

/// <summary>Reads the regular part of ECMAScript's expressions (flag u). Look-around, back-references and word boundaries are refused by name.</summary>
internal sealed class RegexParser
{
    private readonly string _text;
    private readonly string _where;
    private readonly int _maxDepth;
    private int _at;
    private int _depth;

    private RegexParser(string text, int maxDepth, string where) => (_text, _maxDepth, _where) = (text, maxDepth, where);

    public static RegexNode Parse(string text, int maxDepth, string where)
    {
        var parser = new RegexParser(text, maxDepth, where);
        RegexNode node = parser.Choice();
        return parser._at == text.Length ? node : throw parser.Error("an end or |", "an unmatched )");
    }

    private PunaException Error(string expected, string got) => new($"regular expression {_text}: expected {expected}, got {got} at {_at} ({_where})");

    private RegexNode Choice()
    {
        if (++_depth > _maxDepth)
        {
            throw Error($"at most {_maxDepth} nested groups", "more");
        }

        var parts = new List<RegexNode> { Sequence() };
        while (_at < _text.Length && _text[_at] == '|')
        {
            _at++;
            parts.Add(Sequence());
        }

        _depth--;
        return parts.Count == 1 ? parts[0] : new RegexNode.Choice(parts);
    }

    private RegexNode Sequence()
    {
        var parts = new List<RegexNode>();
        while (_at < _text.Length && _text[_at] is not ('|' or ')'))
        {
            parts.Add(Quantified());
        }

        return parts.Count == 1 ? parts[0] : new RegexNode.Sequence(parts);
    }

    private RegexNode Quantified()
    {
        RegexNode atom = Atom();
        if (_at == _text.Length)
        {
            return atom;
        }

        int min;
        int? max;
        switch (_text[_at])
        {
            case '*': (min, max) = (0, null); _at++; break;
            case '+': (min, max) = (1, null); _at++; break;
            case '?': (min, max) = (0, 1); _at++; break;
            case '{' when Braces() is { } counts: (min, max) = counts; break;
            default: return atom;
        }

        if (_at < _text.Length && _text[_at] == '?')
        {
            _at++; // Lazy or greedy: the language is the same.
        }

        if (_at < _text.Length && _text[_at] is ('*' or '+' or '?'))
        {
            throw Error("one quantifier", "two");
        }

        if (atom is RegexNode.Anchor)
        {
            throw Error("a part that can be repeated", "an anchor");
        }

        return max < min ? throw Error("a range in order", $"{{{min},{max}}}") : new RegexNode.Repeat(atom, min, max);
    }

    /// <summary>{n}, {n,} or {n,m}; anything else is literal text.</summary>
    private (int Min, int? Max)? Braces()
    {
        int end = _text.IndexOf('}', _at);
        if (end < 0)
        {
            return null;
        }

        string inner = _text[(_at + 1)..end];
        int comma = inner.IndexOf(',', StringComparison.Ordinal);
        string low = comma < 0 ? inner : inner[..comma];
        string? high = comma < 0 ? null : inner[(comma + 1)..];
        if (!IsDigits(low) || (high is { Length: > 0 } && !IsDigits(high)))
        {
            return null;
        }

        _at = end + 1;
        int min = Count(low);
        return (min, comma < 0 ? min : high!.Length == 0 ? null : Count(high));
    }

    private static bool IsDigits(string text) => text.Length > 0 && text.AsSpan().IndexOfAnyExceptInRange('0', '9') < 0;

    private int Count(string digits) =>
        int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out int value) && value <= 100_000 ? value : throw Error("at most 100000 repetitions", digits);

    private RegexNode Atom()
    {
        char c = _text[_at];
        switch (c)
        {
            case '^':
                _at++;
                return new RegexNode.Anchor(false);
            case '$':
                _at++;
                return new RegexNode.Anchor(true);
            case '.':
                _at++;
                return new RegexNode.Set(CodePointSet.Dot);
            case '*' or '+' or '?':
                throw Error("a part to repeat", c.ToString());
            case '(':
                return Group();
            case '[':
                return new RegexNode.Set(Class());
            case '\\':
                return new RegexNode.Set(Escape(false));
            default:
                return new RegexNode.Set(CodePointSet.Single(CodePoint()));
        }
    }

    private RegexNode Group()
    {
        _at++;
        if (_at < _text.Length && _text[_at] == '?')
        {
            if (Next("?:"))
            {
            }
            else if (Next("?=") || Next("?!") || Next("?<=") || Next("?<!"))
            {
                throw Error("a regular expression without look-around", "look-around");
            }
            else if (Next("?<"))
            {
                int end = _text.IndexOf('>', _at);
                _at = end < 0 ? throw Error("the name of a group", "no >") : end + 1;
            }
            else
            {
                throw Error("(?: or (?<name>", "another kind of group");
            }
        }

        RegexNode inner = Choice();
        if (_at == _text.Length)
        {
            throw Error(")", "the end");
        }

        _at++;
        return inner;
    }

    private bool Next(string text)
    {
        if (string.CompareOrdinal(_text, _at, text, 0, text.Length) != 0)
        {
            return false;
        }

        _at += text.Length;
        return true;
    }

    private CodePointSet Class()
    {
        _at++;
        bool negated = Next("^");
        var ranges = new List<(int, int)>();
        while (true)
        {
            if (_at == _text.Length)
            {
                throw Error("]", "the end");
            }

            if (Next("]"))
            {
                break;
            }

            CodePointSet low = ClassAtom();
            if (low.Ranges is [var (a, b)] && a == b && _at + 1 < _text.Length && _text[_at] == '-' && _text[_at + 1] != ']')
            {
                int minus = _at++;
                CodePointSet high = ClassAtom();
                if (high.Ranges is [var (x, y)] && x == y)
                {
                    ranges.Add(x >= a ? (a, x) : throw Error("a range in order", _text[(minus - 1).._at]));
                    continue;
                }

                // A class cannot end a range: then the minus is itself.
                ranges.Add((a, a));
                ranges.Add(('-', '-'));
                ranges.AddRange(high.Ranges);
                continue;
            }

            ranges.AddRange(low.Ranges);
        }

        CodePointSet set = CodePointSet.Of(ranges);
        return negated ? set.Complement() : set;
    }

    private CodePointSet ClassAtom() => _at == _text.Length ? throw Error("]", "the end") : _text[_at] == '\\' ? Escape(true) : CodePointSet.Single(CodePoint());

    private CodePointSet Escape(bool inClass)
    {
        _at++;
        if (_at == _text.Length)
        {
            throw Error("a character after \\", "the end");
        }

        char c = _text[_at++];
        switch (c)
        {
            case 'd': return CodePointSet.Digits;
            case 'D': return CodePointSet.Digits.Complement();
            case 'w': return CodePointSet.Word;
            case 'W': return CodePointSet.Word.Complement();
            case 's': return CodePointSet.Space;
            case 'S': return CodePointSet.Space.Complement();
            case 'n': return CodePointSet.Single('\n');
            case 'r': return CodePointSet.Single('\r');
            case 't': return CodePointSet.Single('\t');
            case 'f': return CodePointSet.Single('\f');
            case 'v': return CodePointSet.Single('\v');
            case '0' when _at == _text.Length || !char.IsAsciiDigit(_text[_at]): return CodePointSet.Single(0);
            case 'b' when inClass: return CodePointSet.Single('\b');
            case 'b' or 'B': throw Error("a regular expression without word boundaries", $"\\{c}");
            case 'p' or 'P': return Property(c == 'P');
            case 'x': return CodePointSet.Single(Hex(2));
            case 'u': return CodePointSet.Single(UnicodeEscape());
            case 'c' when _at < _text.Length && char.IsAsciiLetter(_text[_at]): return CodePointSet.Single(_text[_at++] & 31);
            default:
                if (char.IsAsciiDigit(c) || c == 'k')
                {
                    throw Error("a regular expression without back-references", $"\\{c}");
                }

                if (char.IsAsciiLetter(c))
                {
                    throw Error("a known escape", $"\\{c}");
                }

                _at--;
                return CodePointSet.Single(CodePoint());
        }
    }

    private CodePointSet Property(bool negated)
    {
        int end = _at < _text.Length && _text[_at] == '{' ? _text.IndexOf('}', _at) : -1;
        if (end < 0)
        {
            throw Error("a general category in braces after \\p", "none");
        }

        string name = _text[(_at + 1)..end];
        foreach (string prefix in (string[])["General_Category=", "gc="])
        {
            name = name.StartsWith(prefix, StringComparison.Ordinal) ? name[prefix.Length..] : name;
        }

        CodePointSet set = CodePointSet.Category(name) ?? throw Error("a general category such as L or Nd", name);
        _at = end + 1;
        return negated ? set.Complement() : set;
    }

    private int Hex(int digits)
    {
        if (_at + digits > _text.Length || !int.TryParse(_text.AsSpan(_at, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out int value))
        {
            throw Error($"{digits} hexadecimal digits", "others");
        }

        _at += digits;
        return value;
    }

    private int UnicodeEscape()
    {
        if (_at < _text.Length && _text[_at] == '{')
        {
            int end = _text.IndexOf('}', _at);
            if (end < 0 || !int.TryParse(_text.AsSpan(_at + 1, end - _at - 1), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out int value) || value is < 0 or > CodePointDfa.Last)
            {
                throw Error("a code point", "none");
            }

            _at = end + 1;
            return value;
        }

        int high = Hex(4);
        if (char.IsHighSurrogate((char)high) && Next("\\u"))
        {
            int low = Hex(4);
            return char.IsLowSurrogate((char)low) ? char.ConvertToUtf32((char)high, (char)low) : throw Error("a surrogate pair", "half of one");
        }

        return high;
    }

    private int CodePoint()
    {
        char c = _text[_at++];
        return char.IsHighSurrogate(c) && _at < _text.Length && char.IsLowSurrogate(_text[_at]) ? char.ConvertToUtf32(c, _text[_at++]) : c;
    }
}
