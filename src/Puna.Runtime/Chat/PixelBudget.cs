using Puna.Runtime.Serving;

namespace Puna.Runtime.Chat;

/// <summary>
/// Bounds the memory of decoded pictures: what they will take is counted before they are decoded, and until the engine has let go of their request. One request alone may have more than the bound.
/// Thread-safe.
/// </summary>
/// <param name="capacity">Most bytes.</param>
internal sealed class PixelBudget(long capacity)
{
    private readonly Lock _lock = new();
    private long _held;

    /// <summary>Bytes held.</summary>
    public long Held
    {
        get
        {
            lock (_lock)
            {
                return _held;
            }
        }
    }

    /// <summary>Counts the pictures of a request.</summary>
    /// <exception cref="EngineBusyException">Other requests have too many.</exception>
    public void Take(long bytes)
    {
        lock (_lock)
        {
            if (bytes > 0 && _held > 0 && _held + bytes > capacity)
            {
                throw new EngineBusyException($"pictures: expected at most {capacity} bytes of them in requests, got more", EngineBusyReason.QueueLimit, TimeSpan.FromSeconds(1));
            }

            _held += bytes;
        }
    }

    /// <summary>Forgets those of a request that is over.</summary>
    public void Return(long bytes)
    {
        lock (_lock)
        {
            _held -= bytes;
        }
    }
}
