namespace Puna.Tensors;

/// <summary>One layer's cached keys and values of the sequences of a batch, in the order of the batch.</summary>
/// <param name="Sequences">One cached sequence per sequence of the batch.</param>
/// <param name="Layer">Index of the layer.</param>
public readonly record struct KvView(IReadOnlyList<KvSequence> Sequences, int Layer);
