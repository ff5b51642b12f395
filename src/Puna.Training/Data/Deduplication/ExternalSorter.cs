using System.Runtime.InteropServices;

namespace Puna.Training.Data;

/// <summary>
/// Sorts any number of records in bounded memory: what does not fit goes to disk as sorted runs, which are merged when the result is read. The result does not depend on the memory. The runs are files in
/// a folder of the caller's and go away on <see cref="Dispose"/>.
/// </summary>
internal sealed class ExternalSorter : IDisposable
{
    private const int LeastRecords = 256;
    private const int ReadRecords = 1024;
    private const int MostRuns = 64;

    private readonly string _folder;
    private readonly CancellationToken _stop;
    private readonly int _capacity;
    private readonly List<string> _runs = [];
    private SortRecord[] _buffer = new SortRecord[LeastRecords];
    private int _count;
    private bool _sorted = true;

    /// <param name="folder">Where runs go.</param>
    /// <param name="memoryBytes">What records in memory may take; a few KB are taken in any case.</param>
    /// <param name="stop">Ends sorting and reading.</param>
    public ExternalSorter(string folder, long memoryBytes, CancellationToken stop)
    {
        _folder = folder;
        _stop = stop;
        _capacity = (int)Math.Clamp(memoryBytes / SortRecord.Bytes, LeastRecords, 1 << 26);
    }

    /// <summary>Records added.</summary>
    public long Count { get; private set; }

    /// <summary>Sorted runs on disk.</summary>
    public int Runs => _runs.Count;

    public void Add(ulong a, ulong b, ulong c = 0)
    {
        if (_count == _buffer.Length)
        {
            Grow();
        }

        _buffer[_count++] = new SortRecord(a, b, c);
        _sorted = false;
        Count++;
    }

    /// <summary>The records in order. May be asked for several times, but not while one is being read; nothing may be added afterwards.</summary>
    public IEnumerable<SortRecord> Sorted()
    {
        if (_runs.Count > 0)
        {
            Spill();
            while (_runs.Count > Math.Clamp(_capacity / ReadRecords, 2, MostRuns))
            {
                MergeSome();
            }

            return Merge(_runs);
        }

        SortBuffer();
        return InMemory();
    }

    /// <summary>The records in order, equal ones once.</summary>
    public IEnumerable<SortRecord> Distinct()
    {
        SortRecord last = default;
        bool first = true;
        foreach (SortRecord record in Sorted())
        {
            if (first || record != last)
            {
                yield return record;
            }

            first = false;
            last = record;
        }
    }

    public void Dispose()
    {
        _buffer = [];
        foreach (string run in _runs)
        {
            try
            {
                File.Delete(run);
            }
            catch (IOException)
            {
                // The folder goes away with all that is left in it.
            }
        }

        _runs.Clear();
    }

    private IEnumerable<SortRecord> InMemory()
    {
        for (int i = 0; i < _count; i++)
        {
            yield return _buffer[i];
        }
    }

    private void Grow()
    {
        if (_buffer.Length < _capacity)
        {
            Array.Resize(ref _buffer, (int)Math.Min(_capacity, 2L * _buffer.Length));
        }
        else
        {
            Spill();
        }
    }

    private void SortBuffer()
    {
        _stop.ThrowIfCancellationRequested();
        if (!_sorted)
        {
            Array.Sort(_buffer, 0, _count);
            _sorted = true;
        }
    }

    private void Spill()
    {
        SortBuffer();
        if (_count > 0)
        {
            using FileStream run = NewRun();
            run.Write(MemoryMarshal.AsBytes(_buffer.AsSpan(0, _count)));
            _count = 0;
        }
    }

    private FileStream NewRun()
    {
        string path = Path.Combine(_folder, Path.GetRandomFileName() + ".run");
        var stream = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 16);
        _runs.Add(path);
        return stream;
    }

    /// <summary>Makes one run of as many as may be open at once.</summary>
    private void MergeSome()
    {
        List<string> some = _runs.GetRange(0, Math.Min(_runs.Count, Math.Clamp(_capacity / ReadRecords, 2, MostRuns)));
        using (FileStream merged = NewRun())
        {
            Span<SortRecord> one = stackalloc SortRecord[1];
            foreach (SortRecord record in Merge(some))
            {
                one[0] = record;
                merged.Write(MemoryMarshal.AsBytes(one));
            }
        }

        _runs.RemoveRange(0, some.Count);
        some.ForEach(File.Delete);
    }

    private IEnumerable<SortRecord> Merge(List<string> runs)
    {
        var readers = new List<RunReader>();
        try
        {
            var heads = new PriorityQueue<RunReader, SortRecord>();
            foreach (string run in runs)
            {
                var reader = new RunReader(run);
                readers.Add(reader);
                if (reader.TryRead(out SortRecord head))
                {
                    heads.Enqueue(reader, head);
                }
            }

            for (int given = 0; heads.TryPeek(out RunReader? reader, out SortRecord record); given++)
            {
                if (given % 65536 == 0)
                {
                    _stop.ThrowIfCancellationRequested();
                }

                yield return record;
                if (reader.TryRead(out SortRecord next))
                {
                    heads.DequeueEnqueue(reader, next);
                }
                else
                {
                    heads.Dequeue();
                }
            }
        }
        finally
        {
            readers.ForEach(static reader => reader.Dispose());
        }
    }

    private sealed class RunReader(string path) : IDisposable
    {
        private readonly FileStream _stream = new(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
        private readonly SortRecord[] _buffer = new SortRecord[ReadRecords];
        private int _at;
        private int _count;

        public bool TryRead(out SortRecord record)
        {
            if (_at == _count)
            {
                _count = _stream.ReadAtLeast(MemoryMarshal.AsBytes(_buffer.AsSpan()), _buffer.Length * SortRecord.Bytes, throwOnEndOfStream: false) / SortRecord.Bytes;
                _at = 0;
            }

            record = _count > 0 ? _buffer[_at++] : default;
            return _count > 0;
        }

        public void Dispose() => _stream.Dispose();
    }
}
