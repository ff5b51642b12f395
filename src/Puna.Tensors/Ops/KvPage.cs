namespace Puna.Tensors;

/// <summary>
/// A hold on one full block of a cached sequence, which outlives the sequence: what one text computed, another that begins alike can go on from (<see cref="KvSequence.Share"/>,
/// <see cref="KvSequence.Append"/>). Not thread-safe.
/// </summary>
public sealed class KvPage : IDisposable
{
    private readonly KvCache _cache;
    private bool _disposed;

    internal KvPage(KvCache cache, KvBlock global, KvBlock? local) => (_cache, Global, Local) = (cache, cache.Hold(global), local is null ? null : cache.Hold(local));

    /// <summary>Whether a sequence, or another page, holds the block too; otherwise disposing frees it.</summary>
    public bool IsShared => Global.Holders > 1;

    internal KvBlock Global { get; }

    /// <summary>Its tokens in local layers, or null where those had been forgotten.</summary>
    internal KvBlock? Local { get; }

    /// <summary>Lets go of the block.</summary>
    public void Dispose()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        _cache.Give(Global, local: false);
        if (Local is not null)
        {
            _cache.Give(Local, local: true);
        }
    }
}
