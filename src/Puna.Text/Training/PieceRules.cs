using System.Buffers.Binary;

namespace Puna.Text.Training;

/// <summary>
/// Which pieces SentencePiece may make, and which first (spec training.md 2.1): at most so many characters, of one script, digits alone, ▁ only in front or by itself. Of pairs that
/// occur equally often the one with fewer characters is merged, then the one that comes first in the order of code points.
/// </summary>
internal sealed class PieceRules : MergeRules
{
    /// <summary>A space.</summary>
    public const int SpaceMark = 0x2581;

    private const int AnyScript = -1;

    private readonly SentencePieceTrainerOptions _options;
    private readonly List<Symbol> _symbols = [];
    private readonly HashSet<string> _made = new(StringComparer.Ordinal);

    /// <summary>Rules for words spelled in these characters.</summary>
    public PieceRules(IEnumerable<int> characters, SentencePieceTrainerOptions options)
    {
        _options = options;
        Span<byte> utf8 = stackalloc byte[4];
        foreach (int scalar in characters)
        {
            int script = UnicodeScripts.Of(scalar);
            bool han = script == UnicodeScripts.Hiragana || script == UnicodeScripts.Katakana || scalar == 0x30FC;
            bool space = scalar == SpaceMark;
            int length = new System.Text.Rune(scalar).EncodeToUtf8(utf8);
            bool digit = scalar is (>= '0' and <= '9') or (>= 0xFF10 and <= 0xFF19);
            script = han ? UnicodeScripts.Han : space || script == UnicodeScripts.Inherited || !options.SplitByScript ? AnyScript : script;
            _symbols.Add(new Symbol(utf8[..length].ToArray(), 1, script, space, space, digit && options.SplitDigits));
        }
    }

    /// <summary>The text of a symbol.</summary>
    public byte[] Piece(int symbol) => _symbols[symbol].Text;

    /// <inheritdoc/>
    public override bool Allows(int left, int right)
    {
        Symbol a = _symbols[left], b = _symbols[right];
        return a.Characters + b.Characters <= _options.MaxPieceLength
            && !a.IsDigit && !b.IsDigit
            && (a.Script == b.Script || a.Script == AnyScript || b.Script == AnyScript)
            && (b.IsSpaces ? a.IsSpaces && _options.SpacePieces : !b.HasSpace && !(a.IsSpaces && a.Characters > 1));
    }

    /// <inheritdoc/>
    public override ulong Key(int left, int right)
    {
        Symbol a = _symbols[left], b = _symbols[right];
        Span<byte> key = stackalloc byte[8];
        BinaryPrimitives.WriteUInt16BigEndian(key, (ushort)(a.Characters + b.Characters));
        Span<byte> rest = key[2..];
        int first = Math.Min(a.Text.Length, rest.Length);
        a.Text.AsSpan(0, first).CopyTo(rest);
        b.Text.AsSpan(0, Math.Min(b.Text.Length, rest.Length - first)).CopyTo(rest[first..]);
        return BinaryPrimitives.ReadUInt64BigEndian(key);
    }

    /// <inheritdoc/>
    public override int Compare((int Left, int Right) first, (int Left, int Right) second)
    {
        // UTF-8 sorts as code points do. Of the same piece cut in two ways that with the shorter left part comes first.
        byte[] a = _symbols[first.Left].Text, b = _symbols[first.Right].Text, c = _symbols[second.Left].Text, d = _symbols[second.Right].Text;
        int length = Math.Min(a.Length + b.Length, c.Length + d.Length);
        for (int i = 0; i < length; i++)
        {
            int x = i < a.Length ? a[i] : b[i - a.Length], y = i < c.Length ? c[i] : d[i - c.Length];
            if (x != y)
            {
                return x - y;
            }
        }

        int longer = a.Length + b.Length - c.Length - d.Length;
        return longer != 0 ? longer : a.Length - c.Length;
    }

    /// <inheritdoc/>
    public override int Join(int left, int right)
    {
        Symbol a = _symbols[left], b = _symbols[right];
        byte[] text = [.. a.Text, .. b.Text];
        if (!_made.Add(System.Text.Encoding.UTF8.GetString(text)))
        {
            return -1;
        }

        _symbols.Add(new Symbol(text, a.Characters + b.Characters, a.Script == AnyScript ? b.Script : a.Script, a.IsSpaces && b.IsSpaces, a.HasSpace, false));
        return _symbols.Count - 1;
    }

    private sealed record Symbol(byte[] Text, int Characters, int Script, bool IsSpaces, bool HasSpace, bool IsDigit);
}
