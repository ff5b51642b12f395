using Puna.Models;
using Puna.Tensors;

namespace Puna.Bench.Experts;

/// <summary>
/// The routed experts of a model as a shelf of limited room: notes which ones a pass uses, and between passes drops those that have not been used for longest until the rest fits. What a system with so much memory
/// to spare would keep, if it kept whole experts.
/// </summary>
/// <param name="model">A model whose experts are left in the file.</param>
/// <param name="pages">Their file.</param>
internal sealed class ExpertShelf(Llama model, FilePages pages) : IExpertChoice
{
    private readonly LinkedList<(int Layer, int Expert)> _kept = new();
    private readonly HashSet<(int Layer, int Expert)> _used = [];

    /// <summary>Bytes of all experts.</summary>
    public long ByteLength { get; } = All(model).Sum(place => Bytes(model, place));

    /// <summary>Experts that the pass has used.</summary>
    public int Used => _used.Count;

    /// <inheritdoc/>
    public void Assign(IOps ops, Tensor scores, int perToken, ExpertRouting routing, int layer)
    {
        routing.Assign(ops, scores, perToken);
        for (int e = 0; e < routing.Experts; e++)
        {
            if (!routing.Rows(e).IsEmpty && _used.Add((layer, e)))
            {
                _kept.Remove((layer, e));
                _kept.AddLast((layer, e));
            }
        }
    }

    /// <summary>Begins a pass.</summary>
    public void Begin() => _used.Clear();

    /// <summary>Drops the ones unused for longest.</summary>
    /// <param name="room">Bytes that may stay.</param>
    public void Keep(long room)
    {
        long bytes = _kept.Sum(place => Bytes(model, place));
        while (bytes > room && _kept.First is { } oldest)
        {
            bytes -= Bytes(model, oldest.Value);
            Drop(oldest.Value);
            _kept.RemoveFirst();
        }
    }

    /// <summary>Drops all, also those that nobody has used.</summary>
    public void Empty()
    {
        foreach ((int, int) place in All(model))
        {
            Drop(place);
        }

        _kept.Clear();
    }

    /// <summary>Reads all into memory.</summary>
    public void Fill()
    {
        foreach ((int, int) place in All(model))
        {
            foreach (Tensor tensor in Matrices(model, place))
            {
                long sum = 0;
                for (nint at = 0; at < tensor.ByteLength; at += Environment.SystemPageSize)
                {
                    sum += tensor.Storage.Span<byte>(tensor.Offset + at, 1)[0];
                }

                GC.KeepAlive(sum);
            }

            _kept.Remove(place);
            _kept.AddLast(place);
        }
    }

    private static IEnumerable<(int Layer, int Expert)> All(Llama model)
    {
        for (int layer = 0; layer < model.Blocks.Count; layer++)
        {
            for (int e = 0; e < (model.Blocks[layer].Experts?.Experts.Count ?? 0); e++)
            {
                yield return (layer, e);
            }
        }
    }

    private static IEnumerable<Tensor> Matrices(Llama model, (int Layer, int Expert) place)
    {
        FeedForward expert = model.Blocks[place.Layer].Experts!.Experts[place.Expert];
        return [expert.W1.Weight.Master, expert.W3.Weight.Master, expert.W2.Weight.Master];
    }

    private static long Bytes(Llama model, (int Layer, int Expert) place) => Matrices(model, place).Sum(static t => t.ByteLength);

    private void Drop((int Layer, int Expert) place)
    {
        foreach (Tensor tensor in Matrices(model, place))
        {
            // Out of this process first: mapped pages are not dropped. The storage is the whole file, so that offsets are the same.
            tensor.Storage.GiveBack(tensor.Offset, checked((nint)tensor.ByteLength));
            pages.Drop(tensor.Offset, tensor.ByteLength);
        }
    }
}
