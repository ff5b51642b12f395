using Puna.Formats;
using Puna.Tensors;

namespace Puna.Models.Checkpoints.LowPrecision;

/// <summary>A matrix that a checkpoint holds in low precision: codes, and scales beside them.</summary>
internal interface IStoredMatrix
{
    /// <summary>The matrix as it is read: float32, under the name of its codes.</summary>
    TensorInfo Info { get; }

    /// <summary>The values, in memory of their own.</summary>
    /// <param name="file">The file that holds the codes.</param>
    Tensor Decode(TensorFile file);
}
