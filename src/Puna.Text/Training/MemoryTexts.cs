using System.Text;

namespace Puna.Text.Training;

/// <summary>Texts that are in memory already.</summary>
public sealed class MemoryTexts : ITextSource
{
    private readonly IEnumerator<ReadOnlyMemory<byte>> _texts;
    private ReadOnlyMemory<byte> _rest;
    private int _number;

    /// <summary>Texts in UTF-8.</summary>
    public MemoryTexts(IEnumerable<ReadOnlyMemory<byte>> texts) => _texts = texts.GetEnumerator();

    /// <summary>Texts in characters; a lone surrogate counts as U+FFFD.</summary>
    public MemoryTexts(params IEnumerable<string> texts)
        : this(texts.Select(static t => (ReadOnlyMemory<byte>)Encoding.UTF8.GetBytes(t)))
    {
    }

    /// <inheritdoc/>
    public string Name => $"text {_number}";

    /// <inheritdoc/>
    public bool Next()
    {
        bool more = _texts.MoveNext();
        _rest = more ? _texts.Current : default;
        _number++;
        return more;
    }

    /// <inheritdoc/>
    public int Read(Span<byte> into)
    {
        int length = Math.Min(into.Length, _rest.Length);
        _rest.Span[..length].CopyTo(into);
        _rest = _rest[length..];
        return length;
    }
}
