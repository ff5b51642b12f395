namespace Puna.Tensors;

/// <summary>A place in an <see cref="Arena"/>.</summary>
/// <param name="Slab">Index of the slab.</param>
/// <param name="Offset">Bytes into it.</param>
public readonly record struct ArenaMark(int Slab, nint Offset);
