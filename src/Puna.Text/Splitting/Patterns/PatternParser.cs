using System.Globalization;
using System.Text;
using Puna.Tensors;

namespace Puna.Text.Splitting.Patterns;

/// <summary>
/// Reads the regular expressions met in tokenizer files (Oniguruma's syntax): alternatives, groups, <c>(?i:)</c>, look-around, classes with ranges, properties and
/// <c>&amp;&amp;</c>, quantifiers of all three modes, places. What it does not know is refused by name.
/// </summary>
internal ref struct PatternParser
{
    private const int DeepestNesting = 64;
    private const int MostQuantifiers = 4;
    private const int LongestPattern = 20_000;

    private readonly Rune[] _pattern;
    private readonly string _text;
    private int _at;
    private int _depth;

    private PatternParser(string pattern)
    {
        _text = pattern;
        _pattern = [.. pattern.EnumerateRunes()];
    }

    /// <summary>Parses a whole pattern.</summary>
    /// <exception cref="PunaException">Something in it is malformed or not known.</exception>
    public static PatternNode Parse(string pattern)
    {
        if (pattern.Length > LongestPattern)
        {
            throw new PunaException($"split pattern: expected at most {LongestPattern} characters, got {pattern.Length}");
        }

        var parser = new PatternParser(pattern);
        PatternNode node = parser.Alternatives(ignoreCase: false);
        return parser._at == parser._pattern.Length ? node : throw parser.Error("an end", ")");
    }

    private int Peek => _at < _pattern.Length ? _pattern[_at].Value : -1;

    private PatternNode Alternatives(bool ignoreCase)
    {
        if (++_depth > DeepestNesting)
        {
            throw Error($"at most {DeepestNesting} nested groups", "more");
        }

        var parts = new List<PatternNode>();
        do
        {
            parts.Add(Sequence(ref ignoreCase));
        }
        while (Take('|'));

        _depth--;
        return parts.Count == 1 ? parts[0] : new PatternNode.Alternatives(parts);
    }

    private PatternNode Sequence(ref bool ignoreCase)
    {
        var parts = new List<PatternNode>();
        while (Peek is not (-1 or '|' or ')'))
        {
            if (Atom(ref ignoreCase) is PatternNode atom)
            {
                parts.Add(Quantified(atom));
            }
        }

        return parts.Count == 1 ? parts[0] : new PatternNode.Sequence(parts);
    }

    private PatternNode Quantified(PatternNode atom)
    {
        for (int quantifiers = 0; ; quantifiers++)
        {
            int min, max;
            switch (Peek)
            {
                case '*':
                    (min, max) = (0, -1);
                    break;
                case '+':
                    (min, max) = (1, -1);
                    break;
                case '?':
                    (min, max) = (0, 1);
                    break;
                case '{' when Bounds(out min, out max):
                    break;
                default:
                    return atom;
            }

            if (quantifiers == MostQuantifiers)
            {
                throw Error($"at most {MostQuantifiers} quantifiers in a row", "more");
            }

            _at++;
            RepeatMode mode = Take('+') ? RepeatMode.Possessive : Take('?') ? RepeatMode.Lazy : RepeatMode.Greedy;
            if (max < 0 && atom.MinWidth == 0)
            {
                throw Error("a repeat of something that is never empty", "a repeat of something that may be");
            }

            atom = new PatternNode.Repeat(atom, min, max, mode);
        }
    }

    /// <summary><c>{m}</c>, <c>{m,}</c>, <c>{,n}</c> or <c>{m,n}</c>; stops at the closing brace.</summary>
    private bool Bounds(out int min, out int max)
    {
        int start = _at++;
        bool some = Number(out min);
        max = min;
        if (Take(','))
        {
            max = Number(out int high) ? high : -1;
            some |= max >= 0;
        }

        if (!some || Peek != '}' || (max >= 0 && max < min))
        {
            _at = start;
            throw Error("numbers in braces", "something else");
        }

        return true;
    }

    private bool Number(out int value)
    {
        value = 0;
        int start = _at;
        while (Peek is >= '0' and <= '9')
        {
            value = Math.Min(100_000, (value * 10) + Peek - '0');
            _at++;
        }

        return _at > start;
    }

    private PatternNode? Atom(ref bool ignoreCase)
    {
        int c = _pattern[_at++].Value;
        switch (c)
        {
            case '(':
                return Group(ref ignoreCase);
            case '[':
                return new PatternNode.Set(Class(ignoreCase));
            case '.':
                return new PatternNode.Set(CodePointSet.NotLineFeed);
            case '^' or '$':
                return new PatternNode.Place((char)c);
            case '*' or '+' or '?':
                throw Error("something to repeat", ((char)c).ToString());
            case '\\' when Peek is 'A' or 'z' or 'Z' or 'b' or 'B':
                return new PatternNode.Place((char)_pattern[_at++].Value);
            case '\\':
                return new PatternNode.Set(Escape(ignoreCase, out _));
            default:
                return new PatternNode.Set(CodePointSet.OfRanges([(c, c)], ignoreCase));
        }
    }

    private PatternNode? Group(ref bool ignoreCase)
    {
        if (!Take('?'))
        {
            return Close(Alternatives(ignoreCase));
        }

        bool behind = false;
        switch (Peek)
        {
            case ':':
                _at++;
                return Close(Alternatives(ignoreCase));
            case '>':
                _at++;
                return new PatternNode.Atomic(Close(Alternatives(ignoreCase)));
            case '<':
                _at++;
                behind = true;
                break;
            case 'i' or '-':
                bool on = !Take('-');
                if (!Take('i'))
                {
                    throw Error("the flag i", "another");
                }

                if (Take(':'))
                {
                    return Close(Alternatives(on));
                }

                // For the rest of the group it stands in.
                ignoreCase = Take(')') ? on : throw Error("a ) behind a flag", "something else");
                return null;
        }

        bool negative = Peek == '!';
        if (!Take('!') && !Take('='))
        {
            throw Error("a group of kind : > = ! <= <! i", "another");
        }

        PatternNode part = Close(Alternatives(ignoreCase));
        return behind && part is not PatternNode.Set ? throw Error("one character in a look behind", "more") : new PatternNode.Look(part, behind, negative);
    }

    private PatternNode Close(PatternNode node) => Take(')') ? node : throw Error("a )", "the end");

    /// <summary>A class; its opening bracket has been read.</summary>
    private CodePointSet Class(bool ignoreCase)
    {
        if (++_depth > DeepestNesting)
        {
            throw Error($"at most {DeepestNesting} nested classes", "more");
        }

        bool negated = Take('^');
        var ranges = new List<(int First, int Last)>();
        var members = new List<CodePointSet>();
        CodePointSet? and = null;
        for (bool first = true; ; first = false)
        {
            if (Peek < 0)
            {
                throw Error("a ]", "the end");
            }

            if (!first && Take(']'))
            {
                break;
            }

            if (Peek == '&' && _at + 1 < _pattern.Length && _pattern[_at + 1].Value == '&')
            {
                _at += 2;
                and = ClassRest(ignoreCase);
                break;
            }

            if (Take('['))
            {
                members.Add(Peek == ':' ? throw Error("a class", "a POSIX bracket") : Class(ignoreCase));
                continue;
            }

            if (Member(ignoreCase, members) is not int low)
            {
                continue;
            }

            int high = low;
            if (Peek == '-' && _at + 1 < _pattern.Length && _pattern[_at + 1].Value != ']')
            {
                _at++;
                high = Member(ignoreCase, members) ?? throw Error("a character at the end of a range", "a class");
            }

            ranges.Add(high >= low ? (low, high) : throw Error("a range that ascends", "one that descends"));
        }

        _depth--;
        return CodePointSet.OfMembers([.. ranges], [.. members], and, negated, ignoreCase);
    }

    /// <summary>What stands behind <c>&amp;&amp;</c> is a class of its own up to the same bracket.</summary>
    private CodePointSet ClassRest(bool ignoreCase) => Class(ignoreCase);

    /// <summary>A single character of a class, or null where a set was added to <paramref name="members"/>.</summary>
    private int? Member(bool ignoreCase, List<CodePointSet> members)
    {
        int c = _pattern[_at++].Value;
        if (c != '\\')
        {
            return c;
        }

        CodePointSet set = Escape(ignoreCase, out int? single);
        if (single is null)
        {
            members.Add(set);
        }

        return single;
    }

    /// <summary>What follows a backslash: a character, or a set of them.</summary>
    private CodePointSet Escape(bool ignoreCase, out int? single)
    {
        if (Peek < 0)
        {
            throw Error("a character behind \\", "the end");
        }

        int c = _pattern[_at++].Value;
        single = null;
        switch (c)
        {
            case 's' or 'S':
                return c == 's' ? CodePointSet.Space : CodePointSet.Space.Negate();
            case 'd' or 'D':
                return c == 'd' ? CodePointSet.Digit : CodePointSet.Digit.Negate();
            case 'w' or 'W':
                return c == 'w' ? CodePointSet.Word : CodePointSet.Word.Negate();
            case 'p' or 'P':
                return Property(c == 'P');
            case 'n' or 'r' or 't' or 'f' or 'v' or 'a' or 'e':
                single = c switch { 'n' => 10, 'r' => 13, 't' => 9, 'f' => 12, 'v' => 11, 'a' => 7, _ => 27 };
                break;
            case 'x' or 'u':
                single = Hexadecimal(c);
                break;
            default:
                single = c is >= '0' and <= '9' or >= 'a' and <= 'z' or >= 'A' and <= 'Z' ? throw Error("an escape that is known", $"\\{(char)c}") : c;
                break;
        }

        return CodePointSet.OfRanges([(single.Value, single.Value)], ignoreCase);
    }

    private int Hexadecimal(int kind)
    {
        var digits = new StringBuilder();
        if (Take('{'))
        {
            while (Peek is not ('}' or -1))
            {
                digits.Append(_pattern[_at++].ToString());
            }

            _at++;
        }
        else
        {
            for (int i = 0; i < (kind == 'x' ? 2 : 4) && Peek >= 0; i++)
            {
                digits.Append(_pattern[_at++].ToString());
            }
        }

        return int.TryParse(digits.ToString(), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out int value) && value is >= 0 and <= 0x10FFFF
            ? value
            : throw Error("a hexadecimal character", digits.ToString());
    }

    private CodePointSet Property(bool negated)
    {
        string name = Peek >= 0 ? _pattern[_at++].ToString() : "";
        if (name == "{")
        {
            var letters = new StringBuilder();
            while (Peek is not ('}' or -1))
            {
                letters.Append(_pattern[_at++].ToString());
            }

            _at++;
            name = letters.ToString();
        }

        if (name.StartsWith('^'))
        {
            negated = !negated;
            name = name[1..];
        }

        uint categories = CodePointSet.Category(name) ?? throw Error("a property that is a general category", $"\\p{{{name}}}");
        CodePointSet set = CodePointSet.OfCategories(categories);
        return negated ? set.Negate() : set;
    }

    private bool Take(char c)
    {
        if (Peek != c)
        {
            return false;
        }

        _at++;
        return true;
    }

    private readonly PunaException Error(string expected, string got) => new($"split pattern {(_text.Length > 200 ? string.Concat(_text.AsSpan(0, 200), "…") : _text)}: expected {expected}, got {got} (at character {_at})");
}
