namespace Puna.Text.Training;

/// <summary>Texts one after the other, in UTF-8, each read piece by piece so that none has to fit into memory.</summary>
public interface ITextSource
{
    /// <summary>What the current text is called in messages.</summary>
    string Name { get; }

    /// <summary>Goes to the next text.</summary>
    /// <returns>False behind the last one.</returns>
    /// <exception cref="Puna.Tensors.PunaException">It cannot be read.</exception>
    bool Next();

    /// <summary>Reads on in the current text.</summary>
    /// <param name="into">Receives bytes; not empty.</param>
    /// <returns>How many, at least one, or 0 at the end of the text.</returns>
    /// <exception cref="Puna.Tensors.PunaException">It cannot be read.</exception>
    int Read(Span<byte> into);
}
