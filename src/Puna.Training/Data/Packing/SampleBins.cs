using System.Runtime.InteropServices;
using Puna.Tensors;

namespace Puna.Training.Data;

/// <summary>
/// Best-fit-decreasing without splitting (spec training.md 2.5): a window of samples is read, sorted by falling length, and each is put into the fullest row that has room for it. The rows are
/// then given in the order of the first sample in each, so that their order says nothing about lengths. A window is <see cref="WindowRows"/> rows' worth of tokens: only its last rows
/// can be badly filled. The state is the stream's state at the beginning of the window and the number of rows given of it.
/// </summary>
internal sealed class SampleBins
{
    /// <summary>Rows' worth of tokens in a window: one or two badly filled rows in 128 cost about one percent.</summary>
    private const int WindowRows = 128;

    private readonly RowPacker _packer;
    private readonly int _rowTokens;
    private readonly TruncationSide _truncate;
    private readonly TokenDocument _document = new();

    // The samples of the window, one after the other.
    private readonly List<int> _tokens = [];
    private readonly List<float> _weights = [];
    private readonly List<Sample> _samples = [];

    // Sample numbers, row after row, and where each row starts in that list.
    private readonly List<int> _members = [];
    private readonly List<int> _starts = [];

    private StreamState _windowStart;
    private long _truncatedBefore;
    private int _given;

    public SampleBins(RowPacker packer, int rowTokens, TruncationSide truncate)
    {
        _packer = packer;
        _rowTokens = rowTokens;
        _truncate = truncate;
        _windowStart = packer.Stream.State;
    }

    /// <summary>Samples cut so far.</summary>
    public long Truncated { get; private set; }

    private int WindowBins => Math.Max(0, _starts.Count - 1);

    public IReadOnlyList<StreamState> State() =>
        _given < WindowBins || WindowBins == 0
            ? [_windowStart, StreamState.Plain("rows given of the window", _given), StreamState.Plain("samples truncated before the window", _truncatedBefore)]
            : [_packer.Stream.State, StreamState.Plain("rows given of the window", 0), StreamState.Plain("samples truncated before the window", Truncated)];

    public void Restore(IReadOnlyList<StreamState> parts)
    {
        long given = parts[1].Position;
        _packer.Stream.State = parts[0];
        _windowStart = parts[0];
        _truncatedBefore = Truncated = parts[2].Position;
        _starts.Clear();
        _given = 0;
        if (given == 0)
        {
            return;
        }

        ReadWindow();
        if (given < 0 || given >= WindowBins)
        {
            throw new PunaException($"state of the row packer: expected 0 to {WindowBins - 1} rows given of the window, got {given}");
        }

        _given = (int)given;
    }

    public void NextRow(TrainingBatch? batch)
    {
        if (_given >= WindowBins)
        {
            _windowStart = _packer.Stream.State;
            _truncatedBefore = Truncated;
            ReadWindow();
        }

        int first = _starts[_given], end = _starts[_given + 1];
        _given++;
        if (batch is null)
        {
            return;
        }

        for (int i = first; i < end; i++)
        {
            Sample sample = _samples[_members[i]];
            batch.Add(CollectionsMarshal.AsSpan(_tokens).Slice(sample.Start, sample.Length), CollectionsMarshal.AsSpan(_weights).Slice(sample.Start, sample.Length));
            batch.TextBytes += sample.TextBytes;
        }
    }

    private void ReadWindow()
    {
        _tokens.Clear();
        _weights.Clear();
        _samples.Clear();
        _given = 0;
        while (_tokens.Count < (long)WindowRows * _rowTokens)
        {
            _packer.NextDocument(_document);
            int length = Math.Min(_document.Tokens.Count, _rowTokens);
            int skip = _truncate == TruncationSide.Start ? _document.Tokens.Count - length : 0;
            long bytes = _document.TextBytes;
            if (length < _document.Tokens.Count)
            {
                Truncated++;
                bytes = (long)((Int128)bytes * length / _document.Tokens.Count);
            }

            _samples.Add(new Sample(_tokens.Count, length, bytes));
            _tokens.AddRange(CollectionsMarshal.AsSpan(_document.Tokens).Slice(skip, length));
            _weights.AddRange(CollectionsMarshal.AsSpan(_document.Weights).Slice(skip, length));
        }

        Pack();
    }

    private void Pack()
    {
        int[] order = new int[_samples.Count];
        for (int i = 0; i < order.Length; i++)
        {
            order[i] = i;
        }

        // Ties by sample number: an unstable sort must not decide.
        Array.Sort(order, (a, b) => _samples[a].Length != _samples[b].Length ? _samples[b].Length.CompareTo(_samples[a].Length) : a.CompareTo(b));
        var rows = new List<(int Room, List<int> Samples)>();
        var byRoom = new SortedSet<(int Room, int Row)>();
        foreach (int sample in order)
        {
            int length = _samples[sample].Length;
            SortedSet<(int Room, int Row)> fitting = byRoom.GetViewBetween((length, 0), (int.MaxValue, int.MaxValue));
            int row;
            if (fitting.Count > 0)
            {
                (int Room, int Row) best = fitting.Min;
                byRoom.Remove(best);
                row = best.Row;
            }
            else
            {
                row = rows.Count;
                rows.Add((_rowTokens, []));
            }

            int room = rows[row].Room - length;
            rows[row].Samples.Add(sample);
            rows[row] = (room, rows[row].Samples);
            if (room > 0)
            {
                byRoom.Add((room, row));
            }
        }

        foreach ((_, List<int> samples) in rows)
        {
            samples.Sort();
        }

        rows.Sort(static (a, b) => a.Samples[0].CompareTo(b.Samples[0]));
        _members.Clear();
        _starts.Clear();
        foreach ((_, List<int> samples) in rows)
        {
            _starts.Add(_members.Count);
            _members.AddRange(samples);
        }

        _starts.Add(_members.Count);
    }

    private readonly record struct Sample(int Start, int Length, long TextBytes);
}
