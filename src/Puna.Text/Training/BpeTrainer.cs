using System.Runtime.CompilerServices;

namespace Puna.Text.Training;

/// <summary>
/// Byte pair encoding: again and again the pair of neighbours that occurs most often in the words becomes one symbol (spec training.md 2.1). Counts are exact at any time (overlapping
/// occurrences count, and are merged from the left); a merge visits only the places of its pair and their neighbours, so the work is proportional to what is merged.
/// </summary>
internal sealed class BpeTrainer
{
    private readonly MergeRules _rules;
    private readonly SymbolText _text;
    private readonly PairStatistics _pairs;
    private readonly PairQueue _queue;
    private readonly Neighbours _before = new();
    private readonly Neighbours _behind = new();
    private int[] _lengths;
    private int _symbols;

    /// <summary>Counts the pairs of a text.</summary>
    /// <param name="text">The words; will be changed.</param>
    /// <param name="symbols">How many symbols words are spelled in.</param>
    /// <param name="rules">Which pairs may be merged, and which first.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public BpeTrainer(SymbolText text, int symbols, MergeRules rules)
    {
        (_text, _symbols, _rules) = (text, symbols, rules);
        _lengths = new int[symbols + 1024];
        Array.Fill(_lengths, 1, 0, symbols);
        _pairs = new PairStatistics(rules);
        _queue = new PairQueue(rules, _pairs);
        ReadOnlySpan<int> cells = text.Cells, owners = text.Owners;
        ReadOnlySpan<long> occurrences = text.Occurrences;
        for (int at = 0; at + 1 < cells.Length; at++)
        {
            if ((cells[at] | cells[at + 1]) >= 0)
            {
                _pairs.Add(_pairs.Of(cells[at], cells[at + 1]), at, occurrences[owners[at]]);
            }
        }

        for (int pair = 0; pair < _pairs.Count; pair++)
        {
            Push(pair);
        }
    }

    /// <summary>How many tokens the merges have saved, over the whole text.</summary>
    public long Saved { get; private set; }

    /// <summary>Merges until so many symbols were made, or no pair is left.</summary>
    /// <param name="wanted">How many new symbols.</param>
    /// <param name="merged">Told of every merge.</param>
    /// <param name="progress">Told how far it is.</param>
    /// <param name="stop">Ends it.</param>
    /// <returns>How many new symbols there are.</returns>
    public int Run(int wanted, Action<int, int> merged, TrainingProgress? progress = null, CancellationToken stop = default)
    {
        int made = 0;
        while (made < wanted && _queue.Count > 0)
        {
            (int pair, long count) = _queue.Peek();
            long now = _pairs.Occurrences(pair);
            if (now != count)
            {
                if (now > 0)
                {
                    _queue.Lower(now);
                }
                else
                {
                    _queue.Pop();
                }

                continue;
            }

            _queue.Pop();
            (int left, int right) = _pairs[pair];
            int symbol = _rules.Join(left, right);
            if (symbol < 0)
            {
                _pairs.Refuse(pair);
                continue;
            }

            merged(left, right);
            if (symbol == _symbols)
            {
                if (_symbols == _lengths.Length)
                {
                    Array.Resize(ref _lengths, _symbols * 2);
                }

                _lengths[_symbols++] = _lengths[left] + _lengths[right];
                made++;
            }

            Merge(pair, left, right, symbol);
            if ((made & 63) == 0)
            {
                stop.ThrowIfCancellationRequested();
                progress?.Invoke("merging", made, wanted);
            }
        }

        return made;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Merge(int pair, int left, int right, int symbol)
    {
        Span<int> cells = _text.Cells;
        ReadOnlySpan<int> owners = _text.Owners;
        ReadOnlySpan<long> occurrences = _text.Occurrences;
        int leftLength = _lengths[left], length = leftLength + _lengths[right];
        _before.Begin(_symbols);
        _behind.Begin(_symbols);
        for (int node = _pairs.Take(pair); node >= 0;)
        {
            int at = _pairs.TakePlace(ref node);
            int second = at + leftLength;
            if (cells[at] != left || cells[second] != right)
            {
                continue;
            }

            long count = occurrences[owners[at]];
            Saved += count;
            int neighbour = cells[at - 1];
            if (neighbour >= 0)
            {
                if (_before.Miss(neighbour))
                {
                    _before.Set(neighbour, _pairs.Of(neighbour, left), _pairs.Of(neighbour, symbol));
                }

                _pairs.Subtract(_before.Old(neighbour), count);
                _pairs.Add(_before.New(neighbour), at - _lengths[neighbour], count);
            }

            int end = at + length;
            neighbour = cells[end];
            if (neighbour >= 0)
            {
                if (_behind.Miss(neighbour))
                {
                    _behind.Set(neighbour, _pairs.Of(right, neighbour), _pairs.Of(symbol, neighbour));
                }

                _pairs.Subtract(_behind.Old(neighbour), count);
                _pairs.Add(_behind.New(neighbour), at, count);
            }

            cells[second - 1] = SymbolText.Hole;
            cells[second] = SymbolText.Hole;
            cells[at] = symbol;
            cells[end - 1] = symbol;
        }

        _pairs.Clear(pair);
        foreach (int neighbour in _before.All)
        {
            Push(_before.New(neighbour));
        }

        foreach (int neighbour in _behind.All)
        {
            Push(_behind.New(neighbour));
        }
    }

    private void Push(int pair)
    {
        if (_pairs.Occurrences(pair) is > 0 and long count)
        {
            _queue.Push(pair, count);
        }
    }

    /// <summary>For the symbols next to the pair that is being merged, the pairs they are in before and afterwards.</summary>
    private sealed class Neighbours
    {
        private readonly List<int> _all = [];
        private int[] _old = [];
        private int[] _new = [];

        public List<int> All => _all;

        public void Begin(int symbols)
        {
            foreach (int symbol in _all)
            {
                _new[symbol] = 0;
            }

            _all.Clear();
            if (_new.Length < symbols)
            {
                Array.Resize(ref _new, symbols * 2);
                Array.Resize(ref _old, symbols * 2);
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public bool Miss(int symbol) => _new[symbol] == 0;

        public void Set(int symbol, int old, int made)
        {
            _all.Add(symbol);
            (_old[symbol], _new[symbol]) = (old, made + 1);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public int Old(int symbol) => _old[symbol];

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public int New(int symbol) => _new[symbol] - 1;
    }
}
