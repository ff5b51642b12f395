using Puna.Tensors;

namespace Puna.Formats.Meta;

// What a pickle can build here, besides strings, integers (long), floats (double) and truth values. None of it has behaviour.

/// <summary>None, and whatever is read only to be passed over.</summary>
internal sealed class PickleNone
{
    public static readonly PickleNone Instance = new();

    private PickleNone()
    {
    }
}

/// <summary>A tuple; <paramref name="depth"/> is how deep tuples nest inside it, itself included.</summary>
internal sealed class PickleTuple(object[] items, int depth)
{
    public object[] Items { get; } = items;

    public int Depth { get; } = depth;
}

/// <summary>A list: allowed beside tensors, its items are dropped.</summary>
internal sealed class PickleList;

/// <summary>A dict or OrderedDict: pairs in order, as written.</summary>
internal sealed class PickleDict
{
    public List<(object Key, object Value)> Pairs { get; } = [];
}

/// <summary>A name from the allow-list.</summary>
internal sealed class PickleGlobal(PickleGlobalKind kind, string name, DType dtype = default)
{
    private static readonly Dictionary<string, PickleGlobal> _allowed = new[]
    {
        new PickleGlobal(PickleGlobalKind.RebuildTensor, "torch._utils._rebuild_tensor_v2"),
        new PickleGlobal(PickleGlobalKind.RebuildTypedTensor, "torch._utils._rebuild_tensor_v3"),
        new PickleGlobal(PickleGlobalKind.RebuildParameter, "torch._utils._rebuild_parameter"),
        new PickleGlobal(PickleGlobalKind.OrderedDict, "collections.OrderedDict"),
        new PickleGlobal(PickleGlobalKind.Bytes, "_io.BytesIO"),
        new PickleGlobal(PickleGlobalKind.Bytes, "_codecs.encode"),
        new PickleGlobal(PickleGlobalKind.Bytes, "__builtin__.bytes"),
        new PickleGlobal(PickleGlobalKind.Storage, "torch.FloatStorage", DType.F32),
        new PickleGlobal(PickleGlobalKind.Storage, "torch.HalfStorage", DType.F16),
        new PickleGlobal(PickleGlobalKind.Storage, "torch.BFloat16Storage", DType.BF16),
        new PickleGlobal(PickleGlobalKind.Storage, "torch.DoubleStorage", DType.F64),
        new PickleGlobal(PickleGlobalKind.Storage, "torch.LongStorage", DType.I64),
        new PickleGlobal(PickleGlobalKind.Storage, "torch.IntStorage", DType.I32),
        new PickleGlobal(PickleGlobalKind.Storage, "torch.ShortStorage", DType.I16),
        new PickleGlobal(PickleGlobalKind.Storage, "torch.CharStorage", DType.I8),
        new PickleGlobal(PickleGlobalKind.Storage, "torch.ByteStorage", DType.U8),
        new PickleGlobal(PickleGlobalKind.Storage, "torch.BoolStorage", DType.Bool),
        new PickleGlobal(PickleGlobalKind.UntypedStorage, "torch.storage.UntypedStorage", DType.U8),
        new PickleGlobal(PickleGlobalKind.ElementType, "torch.float8_e4m3fn", DType.F8_E4M3),
        new PickleGlobal(PickleGlobalKind.ElementType, "torch.float8_e5m2", DType.F8_E5M2),
    }.ToDictionary(x => x.Name, StringComparer.Ordinal);

    public PickleGlobalKind Kind { get; } = kind;

    public string Name { get; } = name;

    public DType DType { get; } = dtype;

    /// <summary>The storage classes, for writing.</summary>
    public static IEnumerable<PickleGlobal> Storages => _allowed.Values.Where(x => x.Kind == PickleGlobalKind.Storage);

    /// <summary>The allowed name, or null. Exact: no other spelling or alias is looked up anywhere.</summary>
    public static PickleGlobal? Find(string module, string name) => _allowed.GetValueOrDefault($"{module}.{name}");
}

internal enum PickleGlobalKind
{
    RebuildTensor,

    /// <summary>Of types without a storage class, 8-bit floats among them: the storage is one of bytes, and the type an argument of its own.</summary>
    RebuildTypedTensor,
    RebuildParameter,
    OrderedDict,
    Storage,
    UntypedStorage,
    ElementType,

    /// <summary>Makes bytes or a stream of them, which Llama 4's parts hold beside tensors (<c>_extra_state</c>): passed over.</summary>
    Bytes,
}

/// <summary>A persistent id: a storage kept outside the pickle.</summary>
internal sealed record PickleStorage(string Key, DType DType, long Count);

/// <summary>A tensor before it has a name.</summary>
internal sealed record PickleTensor(PickleStorage Storage, long Offset, long[] Size, long[] Stride);
