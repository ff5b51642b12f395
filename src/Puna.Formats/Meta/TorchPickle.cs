using Puna.Tensors;

namespace Puna.Formats.Meta;

/// <summary>
/// Reads the names and descriptions of tensors from the <c>data.pkl</c> of a torch checkpoint. Nothing in it is executed: see PickleMachine.cs for what is
/// understood; everything else is an error that names the opcode or the global.
/// </summary>
public static class TorchPickle
{
    /// <summary>The longest pickle that is read, in bytes: a few hundred per tensor are usual.</summary>
    public const int MaxBytes = 1 << 24;

    /// <summary>Reads a dict (or OrderedDict) of names and tensors, or such a dict under the key <c>model</c> of another. Values that are no tensors
    /// are passed over.</summary>
    /// <param name="pickle">The whole program.</param>
    /// <param name="file">Path for error messages.</param>
    /// <param name="offset">Where the pickle begins in that file, for error messages.</param>
    /// <returns>At least one tensor, in the order of the pickle. Offsets, sizes and strides are not negative; nothing else is known of them.</returns>
    /// <exception cref="FileFormatException">Anything else than such a dict.</exception>
    public static IReadOnlyList<TorchTensor> Read(ReadOnlySpan<byte> pickle, string file, long offset = 0)
    {
        if (pickle.Length > MaxBytes)
        {
            throw new FileFormatException(file, $"pickle: expected at most {MaxBytes} bytes, got {pickle.Length}", offset);
        }

        if (new PickleMachine(pickle, file, offset).Run() is not PickleDict dict)
        {
            throw new FileFormatException(file, "pickle: expected a dict of tensors at the top", offset);
        }

        List<TorchTensor> tensors = Tensors(dict, file, offset);
        if (tensors.Count == 0 && dict.Pairs.Find(static x => x.Key is "model").Value is PickleDict inner)
        {
            tensors = Tensors(inner, file, offset);
        }

        return tensors.Count > 0 ? tensors : throw new FileFormatException(file, "pickle: expected a dict of tensors, got one without a tensor", offset);
    }

    private static List<TorchTensor> Tensors(PickleDict dict, string file, long offset)
    {
        var tensors = new List<TorchTensor>();
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach ((object key, object value) in dict.Pairs)
        {
            if (key is string text && !names.Add(text))
            {
                throw new FileFormatException(file, $"pickle key {text}: expected a name that occurs once", offset);
            }

            if (value is not PickleTensor tensor)
            {
                continue;
            }

            if (key is not string name)
            {
                throw new FileFormatException(file, "pickle: expected every tensor under a name that is text", offset);
            }

            if (tensor.Size.Length != tensor.Stride.Length)
            {
                throw new FileFormatException(file, $"tensor {name}: expected as many strides as sizes, got {tensor.Stride.Length} and {tensor.Size.Length}", offset);
            }

            tensors.Add(new TorchTensor(name, tensor.Storage.Key, tensor.Storage.DType, tensor.Storage.Count, tensor.Offset, tensor.Size, tensor.Stride));
        }

        return tensors;
    }
}
