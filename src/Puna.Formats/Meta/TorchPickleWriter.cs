using System.Buffers.Binary;
using System.Text;
using Puna.Tensors;

namespace Puna.Formats.Meta;

/// <summary>
/// Writes the <c>data.pkl</c> of a torch checkpoint: a dict of contiguous tensors, each with a storage of its own named by its number, protocol 2
/// (spec llama1-3.md 3.1). <see cref="TorchPickle"/> reads it back.
/// </summary>
public static class TorchPickleWriter
{
    private static readonly Dictionary<DType, string> _storages = PickleGlobal.Storages.ToDictionary(x => x.DType, x => x.Name["torch.".Length..]);

    /// <summary>Whether torch has the type; it has no block types.</summary>
    public static bool CanHold(DType type) => _storages.ContainsKey(type) || type == DType.F8_E4M3;

    /// <summary>Writes the pickle of these tensors; the storage of the first is called <c>0</c>.</summary>
    /// <param name="tensors">Unique names with types that <see cref="CanHold"/> accepts.</param>
    public static byte[] Write(IReadOnlyList<TensorSpec> tensors)
    {
        using var pickle = new MemoryStream();
        Op(pickle, PickleOp.Proto);
        pickle.WriteByte(2);
        Op(pickle, PickleOp.EmptyDict);
        Op(pickle, PickleOp.Mark);
        for (int i = 0; i < tensors.Count; i++)
        {
            TensorSpec tensor = tensors[i];
            Text(pickle, tensor.Name);
            bool isTyped = !_storages.ContainsKey(tensor.DType);
            Global(pickle, "torch._utils", isTyped ? "_rebuild_tensor_v3" : "_rebuild_tensor_v2");
            Op(pickle, PickleOp.Mark);
            Op(pickle, PickleOp.Mark);
            Text(pickle, "storage");
            Global(pickle, isTyped ? "torch.storage" : "torch", isTyped ? "UntypedStorage" : _storages[tensor.DType]);
            Text(pickle, StorageKey(i));
            Text(pickle, "cpu");
            Integer(pickle, tensor.Shape.Count);
            Op(pickle, PickleOp.Tuple);
            Op(pickle, PickleOp.BinPersId);
            Integer(pickle, 0);
            Integers(pickle, tensor.Shape.ToArray());
            Integers(pickle, Strides(tensor.Shape));
            Op(pickle, PickleOp.NewFalse);
            Global(pickle, "collections", "OrderedDict");
            Op(pickle, PickleOp.EmptyTuple);
            Op(pickle, PickleOp.Reduce);
            if (isTyped)
            {
                Global(pickle, "torch", "float8_e4m3fn");
            }

            Op(pickle, PickleOp.Tuple);
            Op(pickle, PickleOp.Reduce);
        }

        Op(pickle, PickleOp.SetItems);
        Op(pickle, PickleOp.Stop);
        return pickle.ToArray();
    }

    /// <summary>The key of the storage of tensor <paramref name="index"/>.</summary>
    public static string StorageKey(int index) => index.ToString(System.Globalization.CultureInfo.InvariantCulture);

    private static void Op(MemoryStream pickle, PickleOp op) => pickle.WriteByte((byte)op);

    private static void Text(MemoryStream pickle, string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        Span<byte> length = stackalloc byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(length, bytes.Length);
        Op(pickle, PickleOp.BinUnicode);
        pickle.Write(length);
        pickle.Write(bytes);
    }

    private static void Global(MemoryStream pickle, string module, string name)
    {
        Op(pickle, PickleOp.Global);
        pickle.Write(Encoding.ASCII.GetBytes($"{module}\n{name}\n"));
    }

    private static void Integer(MemoryStream pickle, long value)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
        (PickleOp op, int length) = value switch
        {
            >= 0 and <= byte.MaxValue => (PickleOp.BinInt1, 1),
            >= 0 and <= ushort.MaxValue => (PickleOp.BinInt2, 2),
            >= int.MinValue and <= int.MaxValue => (PickleOp.BinInt, 4),
            _ => (PickleOp.Long1, 8),
        };
        Op(pickle, op);
        if (op == PickleOp.Long1)
        {
            pickle.WriteByte(8);
        }

        pickle.Write(bytes[..length]);
    }

    private static void Integers(MemoryStream pickle, long[] values)
    {
        if (values.Length > 3)
        {
            Op(pickle, PickleOp.Mark);
        }

        foreach (long value in values)
        {
            Integer(pickle, value);
        }

        Op(pickle, values.Length switch
        {
            0 => PickleOp.EmptyTuple,
            1 => PickleOp.Tuple1,
            2 => PickleOp.Tuple2,
            3 => PickleOp.Tuple3,
            _ => PickleOp.Tuple,
        });
    }

    private static long[] Strides(Shape shape)
    {
        long[] strides = shape.ToArray();
        long stride = 1;
        for (int i = strides.Length - 1; i >= 0; i--)
        {
            long size = strides[i];
            strides[i] = stride;
            stride *= Math.Max(size, 1);
        }

        return strides;
    }
}
