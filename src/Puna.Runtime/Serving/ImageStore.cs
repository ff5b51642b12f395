using System.Collections.Concurrent;
using Puna.Models;
using Puna.Models.Vision;
using Puna.Runtime.Generation;
using Puna.Tensors;

namespace Puna.Runtime.Serving;

/// <summary>
/// What a model makes of pictures, by their content, in bounded memory: each picture is encoded once, also where several requests bring it at the same time. One thread of its own computes, with
/// scratch memory and threads of its own, so that texts go on being generated meanwhile. What no request needs is kept until its room is wanted; what was not used for longest goes first.
/// </summary>
/// <remarks>Thread-safe. For a Llama 3.2 Vision there are, beside the encoder's results, the keys and values of all cross-attention layers for the pictures of a prompt; a result is needed until those are there.</remarks>
internal sealed class ImageStore : IDisposable
{
    private readonly LanguageModel _model;
    private readonly Func<CpuOps> _open;
    private readonly DType _type;
    private readonly Action _wake;
    private readonly Lock _lock = new();
    private readonly Dictionary<UInt128, ImageEntry> _entries = [];
    private readonly LinkedList<ImageEntry> _byUse = new(); // least recently used first
    private readonly BlockingCollection<ImageEntry> _queue = [];
    private Thread? _thread;
    private long _bytes;
    private long _encoded;
    private bool _isStopped;

    /// <summary>Prepares; the thread starts with the first picture.</summary>
    /// <param name="model">A model that sees.</param>
    /// <param name="engine">The engine's device, whose number of threads and kernels the store's has too.</param>
    /// <param name="capacity">Most bytes of what is kept.</param>
    /// <param name="type">What keys and values are rounded to.</param>
    /// <param name="wake">Told of every entry that is done; any thread.</param>
    /// <param name="open">Makes the device of the store's thread; null makes one like the engine's.</param>
    public ImageStore(LanguageModel model, CpuOps engine, long capacity, DType type, Action wake, Func<CpuOps>? open = null)
    {
        (_model, Capacity, _type, _wake) = (model, capacity, type, wake);
        _open = open ?? (() => new CpuOps(engine.Threads, engine.Path));
    }

    /// <summary>Most bytes of what is kept.</summary>
    public long Capacity { get; }

    /// <summary>Pictures encoded so far.</summary>
    public long Encoded => Interlocked.Read(ref _encoded);

    /// <summary>Bytes that requests hold, and that are kept for others.</summary>
    public (long Held, long All) Bytes()
    {
        lock (_lock)
        {
            return (_byUse.Sum(static entry => entry.Holders > 0 ? entry.Bytes : 0), _bytes);
        }
    }

    /// <summary>Bytes that the pictures of a prompt take while they are being computed, at most.</summary>
    public long Measure(PromptImages prompt)
    {
        long bytes = prompt.Mask is { } mask ? CrossStates.Measure(_model.Llama, mask, _type) : 0;
        return checked(bytes + prompt.Images.Sum(ValueBytes));
    }

    /// <summary>Holds what a request needs, and has computed what is missing of it.</summary>
    /// <param name="images">The request's pictures; nothing is held for them.</param>
    /// <returns>False where other requests hold too much at present.</returns>
    public bool TryTake(RequestImages images)
    {
        lock (_lock)
        {
            var made = new List<ImageEntry>();
            ImageEntry[] wanted = images.Prompt.Mask is { } mask ? [Crossed(images, mask, made)] : [.. Enumerable.Range(0, images.Names.Count).Select(i => Value(images, i, made))];
            foreach (ImageEntry entry in wanted)
            {
                entry.Holders++;
            }

            if (!MakeRoom(made.Sum(static entry => entry.Bytes)))
            {
                foreach (ImageEntry entry in wanted)
                {
                    entry.Holders--;
                }

                made.ForEach(Unhold);
                return false;
            }

            foreach (ImageEntry entry in made)
            {
                _entries.Add(entry.Name, entry);
                _byUse.AddLast(entry);
                _bytes += entry.Bytes;
                _queue.Add(entry);
            }

            if (made.Count > 0 && _thread is null)
            {
                _thread = new Thread(Run) { IsBackground = true, Name = "puna-pictures" };
                _thread.Start();
            }

            images.Taken = wanted;
            return true;
        }
    }

    /// <summary>Takes back what a request held. Harmless where it held nothing.</summary>
    public void Release(RequestImages images)
    {
        lock (_lock)
        {
            foreach (ImageEntry entry in images.Taken)
            {
                entry.Holders--;
                if (entry.IsGone)
                {
                    FreeIfUnused(entry);
                }
                else if (_byUse.Remove(entry))
                {
                    _byUse.AddLast(entry);
                }
            }

            images.Taken = [];
        }
    }

    /// <summary>Lets go of everything. What is being computed is finished and thrown away.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            _isStopped = true;
            _queue.CompleteAdding();
            foreach (ImageEntry entry in _byUse.ToArray())
            {
                Drop(entry);
            }
        }
    }

    private long ValueBytes(TiledImage image) => (_model.Llama.Config.Vision is { } crossed
        ? (long)image.Grid.Tiles * crossed.TileTokens
        : (long)image.Tiles * _model.Llama.Config.Llama4!.Vision!.TokensPerTile) * _model.Llama.Config.Hidden * sizeof(float);

    /// <summary>The encoder's result for a picture.</summary>
    private ImageEntry Value(RequestImages images, int number, List<ImageEntry> made)
    {
        UInt128 name = images.Names[number];
        if (Find(name, made) is { } known)
        {
            return known;
        }

        TiledImage image = images.Prompt.Images[number];
        var entry = new ImageEntry(name, ValueBytes(image), (ops, self) => self.Values = Encode(ops, image), []);
        made.Add(entry);
        return entry;
    }

    /// <summary>Keys and values for the pictures of a prompt.</summary>
    private ImageEntry Crossed(RequestImages images, CrossMask mask, List<ImageEntry> made)
    {
        if (Find(images.CrossName, made) is { } known)
        {
            return known;
        }

        var parts = new ImageEntry?[images.Names.Count];
        for (int i = 0; i < parts.Length; i++)
        {
            int image = i;
            if (mask.Sets.Any(set => set.Any(column => column / mask.MaxTiles == image)))
            {
                parts[i] = Value(images, i, made);
                parts[i]!.Holders++;
            }
        }

        var entry = new ImageEntry(images.CrossName, CrossStates.Measure(_model.Llama, mask, _type), (ops, self) => self.States = Look(ops, self.Parts, mask), parts);
        made.Add(entry);
        return entry;
    }

    private ImageEntry? Find(UInt128 name, List<ImageEntry> made) => _entries.TryGetValue(name, out ImageEntry? entry) ? entry : made.Find(e => e.Name == name);

    private Tensor Encode(CpuOps ops, TiledImage image)
    {
        Interlocked.Increment(ref _encoded);
        return ImageEncoder.Encode(_model, ops, image);
    }

    private CrossStates Look(CpuOps ops, IReadOnlyList<ImageEntry?> parts, CrossMask mask)
    {
        if (parts.FirstOrDefault(static part => part?.Error is not null) is { } failed)
        {
            throw failed.Error!;
        }

        ArenaMark mark = ops.Mark();
        try
        {
            return CrossStates.Compute(_model.Llama, ops, [.. parts.Select(static part => part?.Values ?? default)], mask, _type);
        }
        finally
        {
            ops.Release(mark);
        }
    }

    private void Run()
    {
        CpuOps? ops = null;
        foreach (ImageEntry entry in _queue.GetConsumingEnumerable())
        {
            if (!Begin(entry))
            {
                continue;
            }

            Exception? error = null;
            try
            {
                ops ??= _open();
                _model.EnterPass();
                try
                {
                    entry.Compute(ops);
                }
                finally
                {
                    _model.ExitPass();
                }
            }
            catch (Exception e)
            {
                // Whatever it is, memory included: the requests with this picture fail, and the others go on.
                error = e;
            }

            Finish(entry, error);
            _wake();
        }

        ops?.Dispose();
    }

    /// <summary>Whether anybody still wants an entry, which then is being computed.</summary>
    private bool Begin(ImageEntry entry)
    {
        lock (_lock)
        {
            if (entry.IsGone || entry.Holders == 0)
            {
                Drop(entry);
                return false;
            }

            return entry.IsBusy = true;
        }
    }

    private void Finish(ImageEntry entry, Exception? error)
    {
        lock (_lock)
        {
            entry.IsBusy = false;
            entry.Finish(error);
            Unhold(entry);
            if (error is not null || _isStopped)
            {
                // The next request with this picture tries again.
                Drop(entry);
                FreeIfUnused(entry);
            }
        }
    }

    /// <summary>Lets go of the entries that one was or would have been computed from.</summary>
    private static void Unhold(ImageEntry entry)
    {
        foreach (ImageEntry? part in entry.Parts)
        {
            if (part is not null)
            {
                part.Holders--;
                if (part.IsGone)
                {
                    FreeIfUnused(part);
                }
            }
        }
    }

    private bool MakeRoom(long bytes)
    {
        while (_bytes + bytes > Capacity)
        {
            LinkedListNode<ImageEntry>? node = _byUse.First;
            while (node is { Value: { Holders: > 0 } or { IsBusy: true } })
            {
                node = node.Next;
            }

            if (node is null)
            {
                return false;
            }

            Drop(node.Value);
        }

        return true;
    }

    /// <summary>Takes an entry out of the store.</summary>
    private void Drop(ImageEntry entry)
    {
        if (entry.IsGone)
        {
            return;
        }

        entry.IsGone = true;
        _entries.Remove(entry.Name);
        _byUse.Remove(entry);
        _bytes -= entry.Bytes;
        if (!entry.IsDone && !entry.IsBusy)
        {
            Unhold(entry);
        }

        FreeIfUnused(entry);
    }

    private static void FreeIfUnused(ImageEntry entry)
    {
        if (entry is { Holders: 0, IsBusy: false })
        {
            entry.Free();
        }
    }
}
