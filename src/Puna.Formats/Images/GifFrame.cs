namespace Puna.Formats.Images;

/// <summary>One frame of a GIF: where it lies and how it is drawn.</summary>
/// <param name="Left">First column on the screen.</param>
/// <param name="Top">First row on the screen.</param>
/// <param name="Width">Columns.</param>
/// <param name="Height">Rows.</param>
internal sealed record GifFrame(int Left, int Top, int Width, int Height)
{
    /// <summary>Whether rows come in four passes.</summary>
    public bool IsInterlaced { get; init; }

    /// <summary>Its colours, three bytes each; empty where an index is a shade.</summary>
    public required byte[] Table { get; init; }

    /// <summary>The index that is not drawn, or -1.</summary>
    public int Transparent { get; init; } = -1;

    /// <summary>What becomes of it before the next one: 2 clears its place, 3 puts back what was there, anything else leaves it.</summary>
    public int Disposal { get; init; }

    /// <summary>Bits of an index.</summary>
    public int CodeBits { get; init; }

    /// <summary>Where its blocks of codes begin.</summary>
    public int DataAt { get; init; }
}
