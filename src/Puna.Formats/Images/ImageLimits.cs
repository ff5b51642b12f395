using Puna.Tensors;

namespace Puna.Formats.Images;

/// <summary>What a picture may ask for. Checked against its headers, before anything is decoded or allocated.</summary>
/// <param name="MaxBytes">Largest file.</param>
/// <param name="MaxPixels">Largest product of width and height.</param>
public sealed record ImageLimits(long MaxBytes = 64L << 20, long MaxPixels = 64L << 20)
{
    /// <summary>64 MiB and 67 million pixels.</summary>
    public static ImageLimits Default { get; } = new();

    /// <summary>How often a decoder may go over the largest picture: scans of a JPEG, frames of an animation.</summary>
    internal const int Passes = 16;

    /// <summary>Most frames of an animation; tiny ones cost little of a file.</summary>
    internal const int MostFrames = 10_000;

    /// <summary>Checks the number of frames found so far.</summary>
    /// <exception cref="FileFormatException">More than the limit.</exception>
    internal static void CheckFrames(string path, int frames)
    {
        if (frames > MostFrames)
        {
            throw new FileFormatException(path, $"image frames: expected at most {MostFrames}, got more");
        }
    }

    /// <summary>Checks the length of a file.</summary>
    /// <exception cref="FileFormatException">More than the limit.</exception>
    internal void CheckBytes(string path, long bytes)
    {
        if (bytes > MaxBytes)
        {
            throw new FileFormatException(path, $"image: expected at most {MaxBytes} bytes, got {bytes}");
        }
    }

    /// <summary>Checks the size that a header gives.</summary>
    /// <exception cref="FileFormatException">Nothing to see, or more than the limit.</exception>
    internal void Check(string path, string format, long width, long height, long offset)
    {
        if (width < 1 || height < 1 || width > MaxPixels / height)
        {
            throw new FileFormatException(path, $"{format} size: expected 1 to {MaxPixels} pixels, got {width} x {height}", offset);
        }
    }
}
