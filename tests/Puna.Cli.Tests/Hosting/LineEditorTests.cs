using Puna.Cli.Hosting;

namespace Puna.Cli.Tests.Hosting;

public class LineEditorTests
{
    private const string End = "(end)";

    private static readonly ConsoleKeyInfo Enter = Key(ConsoleKey.Enter, '\r');
    private static readonly ConsoleKeyInfo Left = Key(ConsoleKey.LeftArrow);
    private static readonly ConsoleKeyInfo Right = Key(ConsoleKey.RightArrow);
    private static readonly ConsoleKeyInfo Up = Key(ConsoleKey.UpArrow);
    private static readonly ConsoleKeyInfo Down = Key(ConsoleKey.DownArrow);
    private static readonly ConsoleKeyInfo Home = Key(ConsoleKey.Home);
    private static readonly ConsoleKeyInfo Back = Key(ConsoleKey.Backspace, '\b');
    private static readonly ConsoleKeyInfo Delete = Key(ConsoleKey.Delete);

    [Fact]
    public void TypedTextIsTheMessage() => Assert.Equal(["hola, ñandú 🦙"], Read([.. Typed("hola, ñandú 🦙"), Enter]));

    [Fact]
    public void TextIsEditedWhereTheCursorIs()
    {
        Assert.Equal(["abXc"], Read([.. Typed("abc"), Left, .. Typed("X"), Enter]));
        Assert.Equal(["ac"], Read([.. Typed("abc"), Left, Back, Enter]));
        Assert.Equal(["bc"], Read([.. Typed("abc"), Home, Delete, Enter]));
        Assert.Equal(["xabc"], Read([.. Typed("abc"), Control(ConsoleKey.A), .. Typed("x"), Enter]));
        Assert.Equal(["abcx"], Read([.. Typed("abc"), Home, Control(ConsoleKey.E), .. Typed("x"), Enter]));
        Assert.Equal(["one three"], Read([.. Typed("one two three"), Left, Left, Left, Left, Left, Left, Control(ConsoleKey.W), Delete, Enter]));
        Assert.Equal(["c"], Read([.. Typed("abc"), Left, Control(ConsoleKey.U), Enter]));
        Assert.Equal(["a"], Read([.. Typed("abc"), Home, Right, Control(ConsoleKey.K), Enter]));
        Assert.Equal(["ab"], Read([.. Typed("a🦙b"), Left, Back, Enter]));
        Assert.Equal([""], Read([Back, Delete, Left, Right, Up, Down, Control(ConsoleKey.K), Enter]));
    }

    [Fact]
    public void WordsAreSteppedOver()
    {
        ConsoleKeyInfo wordLeft = new('\0', ConsoleKey.LeftArrow, false, false, true), wordRight = new('\0', ConsoleKey.RightArrow, false, true, false);
        Assert.Equal(["one Xtwo"], Read([.. Typed("one two"), wordLeft, .. Typed("X"), Enter]));
        Assert.Equal(["one Xtwo"], Read([.. Typed("one two"), Alt(ConsoleKey.B), .. Typed("X"), Enter]));
        Assert.Equal(["oneX two"], Read([.. Typed("one two"), Home, Alt(ConsoleKey.F), .. Typed("X"), Enter]));
        Assert.Equal(["oneX two"], Read([.. Typed("one two"), Home, wordRight, .. Typed("X"), Enter]));
    }

    [Fact]
    public void ArrowsCallBackWhatWasTyped()
    {
        string[] lines = Read(
            [.. Typed("first"), Enter, .. Typed("second"), Enter, Enter, Up, Up, Enter, .. Typed("draft"), Up, Up, Up, Up, Down, Down, Down, Down, Enter, Up, Up, .. Typed("!"), Enter]);
        Assert.Equal(["first", "second", "", "first", "draft", "first!"], lines);
    }

    [Fact]
    public void TheSameLineTwiceIsInTheHistoryOnce() =>
        Assert.Equal(["a", "b", "b", "a"], Read([.. Typed("a"), Enter, .. Typed("b"), Enter, .. Typed("b"), Enter, Up, Up, Enter]));

    [Fact]
    public void AltEnterAndPastedTextHaveLineBreaks()
    {
        Assert.Equal(["a\nb"], Read([.. Typed("a"), new ConsoleKeyInfo('\r', ConsoleKey.Enter, false, true, false), .. Typed("b"), Enter]));
        Assert.Equal(["> one\ntwo\tthree"], Read([.. Typed("> "), .. Sequence("[200~"), .. Typed("one"), Enter, .. Typed("two\tthr\aee"), .. Sequence("[201~"), Enter]));
    }

    [Fact]
    public void UnknownSequencesAreNoText() =>
        Assert.Equal(["ab"], Read([.. Typed("a"), .. Sequence("[1;9Z"), .. Sequence("[299~"), Key(ConsoleKey.F5), Alt(ConsoleKey.X), .. Typed("b"), Enter]));

    [Fact]
    public void ControlDEndsTheInputOnlyWhereNothingIsTyped()
    {
        Assert.Equal(["ac"], Read([.. Typed("abc"), Left, Left, Control(ConsoleKey.D), Enter]));
        Assert.Equal([End], Read([.. Typed("a"), Back, Control(ConsoleKey.D)]));
    }

    [Fact]
    public void TheRowNeverBreaks()
    {
        using var screen = new StringWriter();
        var keys = new ScriptedKeyboard([.. Typed("0123456789羊駝🦙abcdefghijklmnopqrstuvwxyz"), Left, Left, Home, Enter]) { Columns = 20 };
        Assert.NotNull(new LineEditor(keys, screen).Read("> "));
        string[] rows = screen.ToString().Split('\r');
        int rowsBeforeEnd = rows.Length - 2; // the last one is the whole message, however long
        for (int i = 0; i < rowsBeforeEnd; i++)
        {
            string row = rows[i].Replace("\e[?2004h", "", StringComparison.Ordinal).Split('\e')[0];
            Assert.InRange(TextColumns.Of(row), 0, 19);
        }

        Assert.Contains(rows, static row => row.StartsWith("> 0123456789羊駝", StringComparison.Ordinal));
        Assert.Contains(rows, static row => row.Contains("wxyz", StringComparison.Ordinal) && !row.Contains('0', StringComparison.Ordinal));
    }

    [Fact]
    public void ALongPasteIsShownAtOnce()
    {
        string text = string.Concat(Enumerable.Repeat("llama 🦙 ", 20_000));
        long start = Environment.TickCount64;
        Assert.Equal([text], Read([.. Sequence("[200~"), .. Typed(text), .. Sequence("[201~"), Left, Right, Enter]));

        // Half a second alone; drawing it with work that grows as the square of its length took minutes.
        Assert.InRange(Environment.TickCount64 - start, 0, 20_000);
    }

    private static string[] Read(ConsoleKeyInfo[] keys)
    {
        using var screen = new StringWriter();
        var keyboard = new ScriptedKeyboard(keys);
        var editor = new LineEditor(keyboard, screen);
        var lines = new List<string>();
        while (keyboard.IsLeft)
        {
            lines.Add(editor.Read("> ") ?? End);
        }

        return [.. lines];
    }

    private static ConsoleKeyInfo Key(ConsoleKey key, char c = '\0') => new(c, key, false, false, false);

    private static ConsoleKeyInfo Control(ConsoleKey key) => new((char)(key - ConsoleKey.A + 1), key, false, false, true);

    private static ConsoleKeyInfo Alt(ConsoleKey key) => new((char)(key - ConsoleKey.A + 'a'), key, false, true, false);

    private static IEnumerable<ConsoleKeyInfo> Typed(string text) => text.Select(static c => Key(c == '\t' ? ConsoleKey.Tab : 0, c));

    private static IEnumerable<ConsoleKeyInfo> Sequence(string text) => [Key(ConsoleKey.Escape, '\e'), .. Typed(text)];

    /// <summary>Keys of a list. They come one by one until there is an escape: what follows that comes from the terminal itself, at once.</summary>
    private sealed class ScriptedKeyboard(ConsoleKeyInfo[] keys) : IKeyboard
    {
        private int _next;

        public int Columns { get; init; } = 80;

        public bool IsLeft => _next < keys.Length;

        public bool HasKey => IsLeft && _next > 0 && Array.FindIndex(keys, static key => key.Key == ConsoleKey.Escape) is >= 0 and var at && at < _next;

        public ConsoleKeyInfo Read() => keys[_next++];
    }
}
