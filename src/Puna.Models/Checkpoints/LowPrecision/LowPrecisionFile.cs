using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Puna.Formats;
using Puna.Tensors;

namespace Puna.Models.Checkpoints.LowPrecision;

/// <summary>
/// A checkpoint published in low precision, seen as one of float32: matrices are decoded when they are asked for, and what stands beside their codes is not seen. Memory of a decoded matrix belongs to
/// the tensor: it goes when the tensor's storage is disposed or no longer referenced, not with this file.
/// </summary>
internal sealed class LowPrecisionFile : TensorFile
{
    private readonly TensorFile _stored;
    private readonly Dictionary<string, IStoredMatrix> _matrices;
    private readonly HashSet<string> _hidden;
    private readonly IReadOnlyList<IDisposable> _others;
    private readonly ConditionalWeakTable<Storage, object> _decoded = [];

    /// <summary>Wraps a file, which then belongs to the result.</summary>
    /// <param name="stored">The file.</param>
    /// <param name="matrices">The matrices in low precision, by name.</param>
    /// <param name="hidden">Names of tensors that belong to their codes.</param>
    /// <param name="others">Files that belong to the result too; may be null.</param>
    public LowPrecisionFile(TensorFile stored, Dictionary<string, IStoredMatrix> matrices, HashSet<string> hidden, IReadOnlyList<IDisposable>? others = null)
    {
        (_stored, _matrices, _hidden, _others) = (stored, matrices, hidden, others ?? []);
        Tensors = [.. stored.Tensors.Where(t => !hidden.Contains(t.Name)).Select(t => matrices.TryGetValue(t.Name, out IStoredMatrix? matrix) ? matrix.Info : t)];
    }

    /// <inheritdoc/>
    public override string Path => _stored.Path;

    /// <inheritdoc/>
    public override IReadOnlyList<TensorInfo> Tensors { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<TensorSource> Sources => _stored.Sources;

    /// <inheritdoc/>
    public override bool TryGetInfo(string name, [NotNullWhen(true)] out TensorInfo? info)
    {
        info = null;
        if (_matrices.TryGetValue(name, out IStoredMatrix? matrix))
        {
            info = matrix.Info;
            return true;
        }

        return !_hidden.Contains(name) && _stored.TryGetInfo(name, out info);
    }

    /// <inheritdoc/>
    public override Tensor GetTensor(string name)
    {
        if (!_matrices.TryGetValue(name, out IStoredMatrix? matrix))
        {
            return _stored.GetTensor(name);
        }

        Tensor result = matrix.Decode(_stored);
        _decoded.Add(result.Storage, this);
        return result;
    }

    /// <inheritdoc/>
    public override void Release(Tensor tensor)
    {
        if (_decoded.Remove(tensor.Storage))
        {
            tensor.Storage.Dispose();
        }
        else
        {
            _stored.Release(tensor);
        }
    }

    /// <inheritdoc/>
    public override void Discard(string name, Tensor tensor)
    {
        if (_matrices.ContainsKey(name))
        {
            Release(tensor);
            _stored.Discard(name, _stored.GetTensor(name));
        }
        else
        {
            _stored.Discard(name, tensor);
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _stored.Dispose();
            foreach (IDisposable other in _others)
            {
                other.Dispose();
            }
        }
    }
}
