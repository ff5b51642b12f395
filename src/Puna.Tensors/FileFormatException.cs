namespace Puna.Tensors;

/// <summary>A file that is not what it should be: names the file, the place in it, what was expected and what was found.</summary>
public sealed class FileFormatException : PunaException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="file">Path of the file.</param>
    /// <param name="message">What is wrong, for example <c>tensor blk.0.attn_q.weight: expected 4096 bytes, got 12</c>.</param>
    /// <param name="offset">Byte offset in the file, or -1 where there is none to name.</param>
    /// <param name="inner">The cause, if there is one.</param>
    public FileFormatException(string file, string message, long offset = -1, Exception? inner = null)
        : base(offset >= 0 ? $"{message} ({file} at byte {offset})" : $"{message} ({file})", inner)
    {
        File = file;
        Offset = offset;
    }

    /// <summary>Path of the file.</summary>
    public string File { get; }

    /// <summary>Byte offset in the file, or -1.</summary>
    public long Offset { get; }
}
