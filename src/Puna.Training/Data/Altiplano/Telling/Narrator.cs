using System.Text;

namespace Puna.Training.Data.Altiplano;

/// <summary>
/// Turns phrasings into English. In a phrasing <c>{a|b}</c> is a choice, <c>[h]</c> speaks of the referent bound to <c>h</c> and <c>[h.p]</c> of it in the form <c>p</c>. Names become pronouns
/// where nobody else could be meant, <c>a</c> becomes <c>an</c> where the sound wants it, sentences get their capitals and full stops. What is told is collected paragraph by paragraph.
/// </summary>
internal sealed class Narrator(Dice dice)
{
    private const int PronounsInARow = 4;
    private const int MergePercent = 45;

    private readonly StringBuilder _text = new(1600);
    private readonly StringBuilder _sentence = new(256);
    private readonly List<(string Key, Referent Referent)> _bound = new(24);
    private readonly List<Person> _people = new(8);
    private Llama? _lastLlama;
    private int _otherThing = -100;
    private int _llamas;
    private int _pronouns;
    private int _last;
    private bool _quoted;
    private bool _merged;
    private bool _paragraph = true;

    /// <summary>Number of the sentence being told.</summary>
    public int Sentence { get; private set; }

    /// <summary>Whether numbers are written in digits.</summary>
    public bool Digits { get; set; }

    /// <summary>Whether short sentences may be joined to the ones before.</summary>
    public bool Joins { get; set; } = true;

    /// <summary>Whether names stay names: questions, answers, speech.</summary>
    public bool Plain { get; private set; }

    /// <summary>What was told so far.</summary>
    public override string ToString() => _text.ToString();

    /// <summary>Characters told so far.</summary>
    public int Length => _text.Length;

    /// <summary>Lets phrasings speak of a referent by a key.</summary>
    public void Bind(string key, Referent referent)
    {
        for (int i = 0; i < _bound.Count; i++)
        {
            if (_bound[i].Key == key)
            {
                _bound[i] = (key, referent);
                return;
            }
        }

        _bound.Add((key, referent));
    }

    /// <summary>Begins a new paragraph with the next sentence.</summary>
    public void Paragraph() => _paragraph = _text.Length > 0;

    /// <summary>Tells one or more sentences.</summary>
    public void Say(string phrasing)
    {
        if (_paragraph)
        {
            if (_text.Length > 0)
            {
                _text.Append("\n\n");
            }

            _paragraph = false;
            _pronouns = PronounsInARow;
        }
        else
        {
            _text.Append(' ');
        }

        _sentence.Clear();
        _quoted = false;
        Expand(phrasing);
        Finish(_sentence, true);
        bool merged = Joins && !_merged && _text.Length > 0 && _text[^1] == ' ' && dice.Chance(MergePercent) && Merge();
        _merged = merged;
        _last = _text.Length;
        _text.Append(_sentence);
        Sentence++;
    }

    /// <summary>Joins the finished sentence to the one before, where both are short, plain and of one piece.</summary>
    private bool Merge()
    {
        int before = _text.Length - 1 - _last;
        if (before is < 12 or > 75 || _sentence.Length is < 12 or > 75 || _text[^2] != '.' || !OnePiece(_text, _last, before) || !OnePiece(_sentence, 0, _sentence.Length))
        {
            return false;
        }

        int length = 0;
        while (length < _sentence.Length && char.IsLetter(_sentence[length]))
        {
            length++;
        }

        Span<char> word = stackalloc char[16];
        if (length > word.Length)
        {
            return false;
        }

        _sentence.CopyTo(0, word, length);
        ReadOnlySpan<char> first = word[..length];
        string joint;
        switch (first)
        {
            case "But" or "So":
                joint = ", ";
                break;
            case "He" or "She" or "They" or "Then" or "His" or "Her" or "After" or "For" or "In" or "At" or "Everybody" or "Nobody" or "Even" or "Soon":
                joint = ", and ";
                break;
            default:
                foreach (Person person in _people)
                {
                    if (first.SequenceEqual(person.Name) && !_text.ToString(_last, before).Contains(person.Name, StringComparison.Ordinal))
                    {
                        _text.Length -= 2;
                        _text.Append(", and ");
                        return true;
                    }
                }

                return false;
        }

        _text.Length -= 2;
        _text.Append(joint);
        _sentence[0] = char.ToLowerInvariant(_sentence[0]);
        return true;
    }

    private static bool OnePiece(StringBuilder text, int start, int length)
    {
        for (int i = start; i < start + length; i++)
        {
            if (text[i] is '"' or ',' or ':' or '?' or '!' or ';' || (text[i] == '.' && i < start + length - 1))
            {
                return false;
            }
        }

        // Joined once more, it would be a chain.
        string piece = text.ToString(start, length);
        return !piece.Contains(" and ", StringComparison.Ordinal) && !piece.Contains(" because ", StringComparison.Ordinal);
    }

    /// <summary>Writes a phrasing without telling it; names stay names.</summary>
    public string Render(string phrasing)
    {
        string told = _sentence.ToString();
        bool quoted = _quoted;
        _sentence.Clear();
        Plain = true;
        Expand(phrasing);
        Plain = false;
        Finish(_sentence, false);
        string text = _sentence.ToString();
        _sentence.Clear().Append(told);
        _quoted = quoted;
        return text;
    }

    /// <summary>Adds letters to the sentence as they are.</summary>
    public void Append(string letters) => _sentence.Append(letters);

    /// <summary>Adds what a phrasing stands for.</summary>
    public void Expand(ReadOnlySpan<char> phrasing)
    {
        int i = 0;
        while (i < phrasing.Length)
        {
            char c = phrasing[i];
            if (c == '{')
            {
                int end = Choice(phrasing, i);
                i = end;
            }
            else if (c == '[')
            {
                int length = phrasing[i..].IndexOf(']');
                Speak(phrasing.Slice(i + 1, length - 1));
                i += length + 1;
            }
            else
            {
                if (c == '"')
                {
                    _quoted = !_quoted;
                }
                else if (c == ' ' && i > 0 && phrasing[i - 1] is '.' or '!' or '?' && !_quoted)
                {
                    Sentence++;
                }

                _sentence.Append(c);
                i++;
            }
        }
    }

    /// <summary>Whether a pronoun would be understood, and is wanted: spoken of in this sentence or the last one, and nobody else of that sex since.</summary>
    public bool MayUsePronoun(Person person)
    {
        if (Plain || _quoted || person.LastSentence < Sentence - 1)
        {
            return false;
        }

        foreach (Person other in _people)
        {
            if (other != person && other.Female == person.Female && other.LastSentence >= (person.LastSentence == Sentence ? Sentence : Sentence - 1))
            {
                return false;
            }
        }

        if (person.LastSentence == Sentence)
        {
            return true;
        }

        if (_pronouns >= PronounsInARow || dice.Chance(22))
        {
            _pronouns = 0;
            return false;
        }

        _pronouns++;
        return true;
    }

    /// <inheritdoc cref="MayUsePronoun(Person)"/>
    public bool MayUsePronoun(Llama llama) =>
        !Plain && !_quoted && _lastLlama == llama && llama.LastSentence == Sentence && _otherThing < Sentence;

    /// <summary>Whether there is one llama only in the story so far, and the name need not stand again.</summary>
    public bool MaySayTheLlama(Llama llama) => !Plain && !_quoted && _llamas == 1 && _lastLlama == llama && dice.Chance(25);

    /// <summary>Notes who was spoken of.</summary>
    public void Mentioned(Person person)
    {
        if (Plain)
        {
            return;
        }

        if (!_people.Contains(person))
        {
            _people.Add(person);
        }

        person.LastSentence = Sentence;
    }

    /// <inheritdoc cref="Mentioned(Person)"/>
    public void Mentioned(Llama llama)
    {
        if (Plain)
        {
            return;
        }

        if (llama.LastSentence < 0)
        {
            _llamas++;
        }

        _lastLlama = llama;
        llama.LastSentence = Sentence;
    }

    private void Speak(ReadOnlySpan<char> tag)
    {
        int dot = tag.IndexOf('.');
        ReadOnlySpan<char> key = dot < 0 ? tag : tag[..dot];
        foreach ((string name, Referent referent) in _bound)
        {
            if (key.SequenceEqual(name))
            {
                if (!Plain && referent is Stock or Place)
                {
                    _otherThing = Sentence;
                }

                int last = referent.LastSentence;
                referent.Write(this, dot < 0 ? "" : tag[(dot + 1)..]);
                if (Plain)
                {
                    referent.LastSentence = last;
                }

                return;
            }
        }

        throw new InvalidOperationException($"phrasing [{tag}]: expected a bound key, got {key}");
    }

    private int Choice(ReadOnlySpan<char> phrasing, int open)
    {
        int depth = 0, options = 1, close = open;
        for (int i = open; ; i++)
        {
            char c = phrasing[i];
            if (c == '{')
            {
                depth++;
            }
            else if (c == '}' && --depth == 0)
            {
                close = i;
                break;
            }
            else if (c == '|' && depth == 1)
            {
                options++;
            }
        }

        int wanted = dice.Below(options), start = open + 1;
        depth = 0;
        for (int i = start; ; i++)
        {
            char c = phrasing[i];
            if (depth == 0 && (c == '|' || i == close))
            {
                if (wanted == 0)
                {
                    Expand(phrasing[start..i]);
                    return close + 1;
                }

                wanted--;
                start = i + 1;
            }
            else if (c == '{')
            {
                depth++;
            }
            else if (c == '}')
            {
                depth--;
            }
        }
    }

    /// <summary>Articles, spaces, capitals, the full stop.</summary>
    private static void Finish(StringBuilder sentence, bool whole)
    {
        Span<char> from = stackalloc char[2048];
        int length = Math.Min(sentence.Length, from.Length);
        sentence.CopyTo(0, from, length);
        sentence.Clear();
        bool capital = whole;
        bool quoted = false;
        for (int i = 0; i < length; i++)
        {
            char c = from[i];
            char before = sentence.Length == 0 ? ' ' : sentence[^1];
            if (c == ' ' && before == ' ')
            {
                continue;
            }

            if (c is ',' or '.' && before is ' ' or ',')
            {
                sentence.Length--;
            }

            if (c == '"')
            {
                quoted = !quoted;
                capital |= whole && quoted && !(sentence.Length > 1 && sentence[^1] == ' ' && sentence[^2] == ',' && from[..i].Contains('"') && char.IsLower(from[Math.Min(i + 1, length - 1)]));
            }

            if (capital && char.IsLetterOrDigit(c))
            {
                c = char.ToUpperInvariant(c);
                capital = false;
            }

            sentence.Append(c);
            if (c is 'a' or 'A' && !char.IsLetter(before) && i + 2 < length && from[i + 1] == ' ' && English.TakesAn(from[(i + 2)..length]))
            {
                sentence.Append('n');
            }

            if (whole && i + 1 < length && from[i + 1] == ' ' && (c is '.' || (c is '!' or '?' && !quoted) || (c == '"' && !quoted && before == '.') || (quoted && c is '!' or '?')))
            {
                capital = true;
            }
        }

        while (sentence.Length > 0 && sentence[^1] is ' ' or ',')
        {
            sentence.Length--;
        }

        if (whole && sentence.Length > 0 && !(sentence[^1] is '.' or '!' or '?') && !(sentence[^1] == '"' && sentence.Length > 1 && sentence[^2] is '.' or '!' or '?'))
        {
            sentence.Append('.');
        }
    }
}
