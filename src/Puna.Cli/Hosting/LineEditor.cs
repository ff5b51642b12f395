using System.Text;

namespace Puna.Cli.Hosting;

/// <summary>
/// Reads a message that the user can edit and call back: arrows, Home, End, Delete and the usual control keys move and cut, up and down go through what was
/// typed before. Alt-Enter, and a line break in pasted text, go into the message. It is shown in one row of the terminal that scrolls sideways, with ↵
/// for line breaks. Needs a terminal that knows the escape sequences of the VT100.
/// </summary>
internal sealed class LineEditor(IKeyboard keyboard, TextWriter screen)
{
    private const int MostHistory = 1000;
    private const string PasteOn = "\e[?2004h";
    private const string PasteOff = "\e[?2004l";
    private const string EndOfPaste = "\e[201~";

    private readonly List<string> _history = [];
    private readonly StringBuilder _redraw = new();
    private string _text = "";
    private string _draft = "";
    private int _cursor;
    private int _place;

    /// <summary>Reads a message.</summary>
    /// <param name="prompt">Shown before it.</param>
    /// <returns>The message, perhaps with line feeds in it; null where the user ended the input (Ctrl-D in an empty line).</returns>
    public string? Read(string prompt)
    {
        (_text, _draft, _cursor, _place) = ("", "", 0, _history.Count);
        screen.Write(PasteOn);
        Draw(prompt);
        try
        {
            while (true)
            {
                ConsoleKeyInfo key = keyboard.Read();
                if (key.Key == ConsoleKey.Enter && !IsAlt(key))
                {
                    return Accept(prompt);
                }

                if (key.Key == ConsoleKey.D && IsControl(key) && _text.Length == 0)
                {
                    screen.Write("\r\n");
                    return null;
                }

                Obey(key, prompt);

                // Not for every character of a pasted or quickly typed text.
                if (!keyboard.HasKey)
                {
                    Draw(prompt);
                }
            }
        }
        finally
        {
            screen.Write(PasteOff);
            screen.Flush();
        }
    }

    /// <summary>Leaves the terminal as it was found where the process ends while <see cref="Read"/> waits.</summary>
    public void Leave()
    {
        screen.Write(PasteOff + "\r\n");
        screen.Flush();
    }

    private string Accept(string prompt)
    {
        // The row that scrolled sideways gives way to the whole message.
        screen.Write($"\r{prompt}{Printable(_text, "\r\n")}\e[K\r\n");
        if (_text.Length > 0 && (_history.Count == 0 || _history[^1] != _text))
        {
            _history.Add(_text);
            if (_history.Count > MostHistory)
            {
                _history.RemoveAt(0);
            }
        }

        return _text;
    }

    private void Obey(ConsoleKeyInfo key, string prompt)
    {
        switch (key.Key)
        {
            case ConsoleKey.Enter:
                Insert("\n");
                break;
            case ConsoleKey.LeftArrow when IsControl(key) || IsAlt(key):
            case ConsoleKey.B when IsAlt(key):
                _cursor = WordBefore();
                break;
            case ConsoleKey.RightArrow when IsControl(key) || IsAlt(key):
            case ConsoleKey.F when IsAlt(key):
                _cursor = WordAfter();
                break;
            case ConsoleKey.LeftArrow:
            case ConsoleKey.B when IsControl(key):
                _cursor = TextColumns.Previous(_text, _cursor);
                break;
            case ConsoleKey.RightArrow:
            case ConsoleKey.F when IsControl(key):
                _cursor = TextColumns.Next(_text, _cursor);
                break;
            case ConsoleKey.UpArrow:
            case ConsoleKey.P when IsControl(key):
                Recall(_place - 1);
                break;
            case ConsoleKey.DownArrow:
            case ConsoleKey.N when IsControl(key):
                Recall(_place + 1);
                break;
            case ConsoleKey.Home:
            case ConsoleKey.A when IsControl(key):
                _cursor = 0;
                break;
            case ConsoleKey.End:
            case ConsoleKey.E when IsControl(key):
                _cursor = _text.Length;
                break;
            case ConsoleKey.W when IsControl(key):
            case ConsoleKey.Backspace when IsControl(key) || IsAlt(key):
                Cut(WordBefore(), _cursor);
                break;
            case ConsoleKey.Backspace:
            case ConsoleKey.H when IsControl(key):
                Cut(TextColumns.Previous(_text, _cursor), _cursor);
                break;
            case ConsoleKey.Delete:
            case ConsoleKey.D when IsControl(key):
                Cut(_cursor, TextColumns.Next(_text, _cursor));
                break;
            case ConsoleKey.U when IsControl(key):
                Cut(0, _cursor);
                break;
            case ConsoleKey.K when IsControl(key):
                Cut(_cursor, _text.Length);
                break;
            case ConsoleKey.L when IsControl(key):
                screen.Write("\e[H\e[2J");
                Draw(prompt);
                break;
            case ConsoleKey.Escape:
                ReadSequence();
                break;
            default:
                // Tabs are text here; other control characters, and what is typed with Alt, are keys that mean nothing.
                if ((key.KeyChar == '\t' || !char.IsControl(key.KeyChar)) && !IsAlt(key))
                {
                    Insert(key.KeyChar.ToString());
                }

                break;
        }
    }

    // What the console library does not know comes as an escape and the characters after it: among these the brackets around a pasted text.
    private void ReadSequence()
    {
        const string Start = "[200~";
        foreach (char expected in Start)
        {
            if (!keyboard.HasKey)
            {
                return;
            }

            char c = keyboard.Read().KeyChar;
            if (c != expected)
            {
                // Some other sequence: it ends with a letter or a tilde.
                while (c is '[' or ';' or (>= '0' and <= '9') && keyboard.HasKey)
                {
                    c = keyboard.Read().KeyChar;
                }

                return;
            }
        }

        var pasted = new StringBuilder();
        while (!EndsWith(pasted, EndOfPaste))
        {
            ConsoleKeyInfo key = keyboard.Read();
            pasted.Append(key.Key == ConsoleKey.Enter ? '\n' : key.Key == ConsoleKey.Escape ? '\e' : key.KeyChar);
        }

        pasted.Length -= EndOfPaste.Length;
        string text = pasted.Replace("\r\n", "\n").Replace('\r', '\n').ToString();
        Insert(string.Concat(text.Where(static c => c is '\n' or '\t' || !char.IsControl(c))));
    }

    private static bool EndsWith(StringBuilder text, string end)
    {
        if (text.Length < end.Length)
        {
            return false;
        }

        for (int i = 0; i < end.Length; i++)
        {
            if (text[text.Length - end.Length + i] != end[i])
            {
                return false;
            }
        }

        return true;
    }

    private void Recall(int place)
    {
        if (place < 0 || place > _history.Count)
        {
            return;
        }

        _draft = _place == _history.Count ? _text : _draft;
        _text = place == _history.Count ? _draft : _history[place];
        (_cursor, _place) = (_text.Length, place);
    }

    private void Insert(string text)
    {
        _text = _text.Insert(_cursor, text);
        _cursor += text.Length;
    }

    private void Cut(int start, int end)
    {
        _text = _text.Remove(start, end - start);
        _cursor = start;
    }

    private int WordBefore()
    {
        int at = _cursor;
        while (at > 0 && char.IsWhiteSpace(_text[at - 1]))
        {
            at--;
        }

        while (at > 0 && !char.IsWhiteSpace(_text[at - 1]))
        {
            at--;
        }

        return at;
    }

    private int WordAfter()
    {
        int at = _cursor;
        while (at < _text.Length && char.IsWhiteSpace(_text[at]))
        {
            at++;
        }

        while (at < _text.Length && !char.IsWhiteSpace(_text[at]))
        {
            at++;
        }

        return at;
    }

    /// <summary>Writes the row anew: as much around the cursor as it has room for.</summary>
    private void Draw(string prompt)
    {
        int room = Math.Max(4, keyboard.Columns - TextColumns.Of(prompt) - 1);

        // Where a character may begin, not far before the cursor: a pasted text can be long.
        int start = Math.Max(0, _cursor - (4 * room));
        start += start > 0 && start < _cursor && char.IsLowSurrogate(_text[start]) ? 1 : 0;
        while (TextColumns.Of(Printable(_text[start.._cursor], "↵")) > room)
        {
            start = TextColumns.Next(_text, start);
        }

        int end = start;
        string shown = "";
        while (end < _text.Length)
        {
            int next = TextColumns.Next(_text, end);
            string longer = shown + Printable(_text[end..next], "↵");
            if (TextColumns.Of(longer) > room)
            {
                break;
            }

            (shown, end) = (longer, next);
        }

        _redraw.Clear().Append('\r').Append(prompt).Append(shown).Append("\e[K\r");
        int column = TextColumns.Of(prompt) + TextColumns.Of(Printable(_text[start.._cursor], "↵"));
        if (column > 0)
        {
            _redraw.Append("\e[").Append(column).Append('C');
        }

        screen.Write(_redraw.ToString());
        screen.Flush();
    }

    private static string Printable(string text, string lineBreak) =>
        text.Replace('\t', ' ').Replace("\n", lineBreak, StringComparison.Ordinal);

    private static bool IsControl(ConsoleKeyInfo key) => (key.Modifiers & ConsoleModifiers.Control) != 0;

    private static bool IsAlt(ConsoleKeyInfo key) => (key.Modifiers & ConsoleModifiers.Alt) != 0;
}
