namespace Puna.Training.Data;

/// <summary>
/// Documents without end, in an order that is a pure function of what the stream was made from and of its state. Setting the state is O(1): nothing is replayed
/// (spec training.md 1.13).
/// </summary>
public interface ITokenStream
{
    /// <summary>Where the stream stands; part of a checkpoint.</summary>
    /// <exception cref="Puna.Tensors.PunaException">On setting: the state of another stream.</exception>
    StreamState State { get; set; }

    /// <summary>Replaces <paramref name="document"/> by the next one.</summary>
    void Next(TokenDocument document);
}
