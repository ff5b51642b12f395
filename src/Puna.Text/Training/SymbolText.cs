using Puna.Tensors;

namespace Puna.Text.Training;

/// <summary>
/// The distinct words as symbols, one behind the other in cells, with <see cref="Wall"/> in front of, between and behind them. A symbol that merging makes covers the cells of its
/// parts; the first and the last of them hold its number, those between <see cref="Hole"/>, so that both neighbours of a symbol are found without a search.
/// </summary>
internal sealed class SymbolText
{
    /// <summary>Between words; nothing is merged across it.</summary>
    public const int Wall = -1;

    /// <summary>Inside a symbol.</summary>
    public const int Hole = -2;

    private int[] _cells = new int[1 << 16];
    private int[] _owners = new int[1 << 16];
    private long[] _counts = new long[1 << 12];
    private int _words;

    /// <summary>Creates an empty text.</summary>
    public SymbolText() => _cells[Count++] = Wall;

    /// <summary>How many cells are used.</summary>
    public int Count { get; private set; }

    /// <summary>The cells.</summary>
    public Span<int> Cells => _cells.AsSpan(0, Count);

    /// <summary>For each cell its word.</summary>
    public ReadOnlySpan<int> Owners => _owners.AsSpan(0, Count);

    /// <summary>How often each word occurs.</summary>
    public ReadOnlySpan<long> Occurrences => _counts.AsSpan(0, _words);

    /// <summary>Adds a word.</summary>
    /// <param name="symbols">Its symbols; <see cref="Wall"/> among them splits it.</param>
    /// <param name="count">How often it occurs.</param>
    public void Add(ReadOnlySpan<int> symbols, long count)
    {
        if (symbols.Length < 2)
        {
            return;
        }

        long need = Count + symbols.Length + 1L;
        if (need > _cells.Length)
        {
            if (need > Array.MaxLength)
            {
                throw new PunaException($"text: expected different words of at most {Array.MaxLength} characters or bytes together, got more");
            }

            int size = (int)Math.Min(Array.MaxLength, Math.Max(need, _cells.Length * 2L));
            Array.Resize(ref _cells, size);
            Array.Resize(ref _owners, size);
        }

        if (_words == _counts.Length)
        {
            Array.Resize(ref _counts, _words * 2);
        }

        symbols.CopyTo(_cells.AsSpan(Count));
        _owners.AsSpan(Count, symbols.Length).Fill(_words);
        Count += symbols.Length;
        _cells[Count++] = Wall;
        _counts[_words++] = count;
    }
}
