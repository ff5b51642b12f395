namespace Puna.Formats.Images;

/// <summary>One picture of a WebP, and for an animation how it is put on the canvas (RFC 9649, 2.7.1.1).</summary>
/// <param name="Width">Columns.</param>
/// <param name="Height">Rows.</param>
/// <param name="HasAlpha">Whether its pixels may be transparent.</param>
internal readonly record struct WebpFrame(int Width, int Height, bool HasAlpha)
{
    /// <summary>First column on the canvas.</summary>
    public int Left { get; init; }

    /// <summary>First row on the canvas.</summary>
    public int Top { get; init; }

    /// <summary>How long it is shown.</summary>
    public int Milliseconds { get; init; }

    /// <summary>Whether its transparent pixels leave what was there before.</summary>
    public bool IsBlended { get; init; }

    /// <summary>Whether its place is cleared before the next one.</summary>
    public bool IsCleared { get; init; }

    /// <summary>Where in the file its chunks are, of a frame of an animation.</summary>
    public Range Chunks { get; init; }
}
