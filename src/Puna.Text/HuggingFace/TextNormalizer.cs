using System.Buffers;
using System.Text;
using Puna.Text.Vocabularies;

namespace Puna.Text.HuggingFace;

/// <summary>
/// Changes of the text before it is cut, in order. The form of Llama 2 (a ▁ in front, ▁ for every space) is done in one pass without garbage; others step by step.
/// </summary>
internal sealed class TextNormalizer
{
    private readonly IReadOnlyList<NormalizerStep> _steps;
    private readonly byte[]? _prefix;
    private readonly byte[]? _mark;

    /// <summary>Creates a normaliser.</summary>
    public TextNormalizer(IReadOnlyList<NormalizerStep> steps)
    {
        _steps = steps;
        (_prefix, _mark) = steps switch
        {
            [NormalizerStep.Prepend prepend, NormalizerStep.Replace { Literal: " " } replace] when !prepend.Prefix.Contains((byte)' ') => (prepend.Prefix, replace.Content),
            [NormalizerStep.Replace { Literal: " " } replace, NormalizerStep.Prepend prepend] => (prepend.Prefix, replace.Content),
            [NormalizerStep.Replace { Literal: " " } replace] => ([], replace.Content),
            _ => default((byte[]?, byte[]?)),
        };
    }

    /// <summary>Whether the text stays as it is.</summary>
    public bool IsIdentity => _steps.Count == 0;

    /// <summary>What a space becomes, where that and <see cref="Prefix"/> are all there is; else null.</summary>
    public string? SpaceMark => _mark is null ? null : Encoding.UTF8.GetString(_mark);

    /// <summary>What is put in front, where that and <see cref="SpaceMark"/> are all there is; else null.</summary>
    public string? Prefix => _prefix is null ? null : Encoding.UTF8.GetString(_prefix);

    /// <summary>The changed text in a rented array, which the caller gives back to the shared pool.</summary>
    public (byte[] Buffer, int Length) Normalize(ReadOnlySpan<byte> text)
    {
        if (_prefix is not null)
        {
            return SpaceMarks.Write(text, text.IsEmpty ? [] : _prefix, _mark);
        }

        byte[] current = text.ToArray();
        foreach (NormalizerStep step in _steps)
        {
            current = step.Apply(current);
        }

        byte[] buffer = ArrayPool<byte>.Shared.Rent(current.Length);
        current.CopyTo(buffer, 0);
        return (buffer, current.Length);
    }
}
