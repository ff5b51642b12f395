using Puna.Models.Vision;
using Puna.Tensors;

namespace Puna.Runtime.Serving;

/// <summary>
/// Something that was or will be computed of pictures, kept under a name that is a hash of what it is computed from: what the encoder makes of one picture, or (Llama 3.2 Vision) the keys
/// and values of the pictures of a prompt. Belongs to an <see cref="ImageStore"/>, whose lock guards what is not said to be read by any thread.
/// </summary>
/// <param name="name">Its name.</param>
/// <param name="bytes">What it takes when it is there.</param>
/// <param name="compute">Computes it, with the device of the store's thread.</param>
/// <param name="parts">Entries that are needed for that, and held until then; null where a picture is not.</param>
internal sealed class ImageEntry(UInt128 name, long bytes, Action<CpuOps, ImageEntry> compute, IReadOnlyList<ImageEntry?> parts)
{
    private volatile bool _isDone;

    /// <summary>Its name.</summary>
    public UInt128 Name => name;

    /// <summary>What it takes when it is there.</summary>
    public long Bytes => bytes;

    /// <summary>Entries that are needed to compute it.</summary>
    public IReadOnlyList<ImageEntry?> Parts => parts;

    /// <summary>How many requests and entries need it.</summary>
    public int Holders { get; set; }

    /// <summary>Whether the store has let go of it.</summary>
    public bool IsGone { get; set; }

    /// <summary>Whether it is being computed.</summary>
    public bool IsBusy { get; set; }

    /// <summary>Whether it is there, or cannot be; any thread, and then the values below may be read.</summary>
    public bool IsDone => _isDone;

    /// <summary>Why it cannot be computed, or null.</summary>
    public Exception? Error { get; private set; }

    /// <summary>What the encoder made of one picture.</summary>
    public Tensor Values { get; set; }

    /// <summary>Keys and values, or null.</summary>
    public CrossStates? States { get; set; }

    /// <summary>Computes it; the store's thread.</summary>
    public void Compute(CpuOps ops) => compute(ops, this);

    /// <summary>Says that it is there, or why it is not.</summary>
    public void Finish(Exception? error)
    {
        Error = error;
        _isDone = true;
    }

    /// <summary>Gives its memory back.</summary>
    public void Free()
    {
        States?.Dispose();
        States = null;
        (Values.Storage as NativeStorage)?.Dispose();
        Values = default;
    }
}
