using System.Buffers.Binary;
using System.Text;
using Puna.Tensors;

namespace Puna.Formats.Meta;

/// <summary>
/// Runs the few pickle opcodes that a checkpoint of tensors needs (spec llama1-3.md 3.1). A pickle is a program for a stack machine that may name any
/// function and call it; here a "call" can only make one of the values in PickleValues.cs, by <see cref="Reduce"/>, and every other opcode or name ends
/// the reading. One loop, no recursion; stack, memo, marks, tuples and the number of values are bounded.
/// </summary>
internal ref struct PickleMachine
{
    private const int MaxValues = 1 << 20; // on the stack, in the memo, and made altogether
    private const int MaxDepth = 64; // of marks and of tuples in tuples; a checkpoint needs 3
    private const int MaxGlobal = 256; // characters of a module or a name

    private static readonly UTF8Encoding _strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly ReadOnlySpan<byte> _data;
    private readonly string _file;
    private readonly long _offset;
    private readonly List<object> _stack = [];
    private readonly List<int> _marks = [];
    private readonly Dictionary<uint, object> _memo = [];
    private int _at;
    private int _opAt;
    private int _made;

    public PickleMachine(ReadOnlySpan<byte> data, string file, long offset)
    {
        _data = data;
        _file = file;
        _offset = offset;
    }

    /// <summary>Runs the program; its last value is the result.</summary>
    public object Run()
    {
        while (true)
        {
            _opAt = _at;
            var op = (PickleOp)Take(1)[0];
            switch (op)
            {
                case PickleOp.Proto:
                    int version = Take(1)[0];
                    if (version is < 2 or > 5)
                    {
                        throw Error($"pickle: expected protocol 2 to 5, got {version}");
                    }

                    break;
                case PickleOp.Frame:
                    ulong frame = BinaryPrimitives.ReadUInt64LittleEndian(Take(8));
                    if (frame > (ulong)(_data.Length - _at))
                    {
                        throw Error($"pickle opcode FRAME: expected at most {_data.Length - _at} bytes, got {frame}");
                    }

                    break;
                case PickleOp.EmptyDict:
                    Push(new PickleDict(), made: 2);
                    break;
                case PickleOp.EmptyList:
                    Push(new PickleList());
                    break;
                case PickleOp.EmptyTuple:
                    Push(new PickleTuple([], 1));
                    break;
                case PickleOp.None:
                    Push(PickleNone.Instance, made: 0);
                    break;
                case PickleOp.NewTrue or PickleOp.NewFalse:
                    Push(op == PickleOp.NewTrue);
                    break;
                case PickleOp.BinInt:
                    Push((long)BinaryPrimitives.ReadInt32LittleEndian(Take(4)));
                    break;
                case PickleOp.BinInt1:
                    Push((long)Take(1)[0]);
                    break;
                case PickleOp.BinInt2:
                    Push((long)BinaryPrimitives.ReadUInt16LittleEndian(Take(2)));
                    break;
                case PickleOp.Long1:
                    PushLong(Take(Take(1)[0]));
                    break;
                case PickleOp.BinFloat:
                    Push(BinaryPrimitives.ReadDoubleBigEndian(Take(8)));
                    break;
                case PickleOp.BinUnicode:
                    Push(Text(Take(BinaryPrimitives.ReadUInt32LittleEndian(Take(4)))));
                    break;
                case PickleOp.ShortBinUnicode:
                    Push(Text(Take(Take(1)[0])));
                    break;
                case PickleOp.Global:
                    string module = Line();
                    PushGlobal(op, module, Line());
                    break;
                case PickleOp.StackGlobal:
                    object name = Pop();
                    PushGlobal(op, Pop() as string ?? throw Misuse("a module name"), name as string ?? throw Misuse("a name"));
                    break;
                case PickleOp.Mark:
                    if (_marks.Count >= MaxDepth)
                    {
                        throw Error($"pickle opcode MARK: expected at most {MaxDepth} levels of nesting");
                    }

                    _marks.Add(_stack.Count);
                    break;
                case PickleOp.Tuple:
                    PushTuple(AboveMark());
                    break;
                case PickleOp.Tuple1 or PickleOp.Tuple2 or PickleOp.Tuple3:
                    PushTuple(op - PickleOp.Tuple1 + 1);
                    break;
                case PickleOp.BinPut:
                    Memoize(Take(1)[0]);
                    break;
                case PickleOp.LongBinPut:
                    Memoize(BinaryPrimitives.ReadUInt32LittleEndian(Take(4)));
                    break;
                case PickleOp.Memoize:
                    Memoize((uint)_memo.Count);
                    break;
                case PickleOp.BinGet:
                    Recall(Take(1)[0]);
                    break;
                case PickleOp.LongBinGet:
                    Recall(BinaryPrimitives.ReadUInt32LittleEndian(Take(4)));
                    break;
                case PickleOp.SetItem:
                    SetItems(2);
                    break;
                case PickleOp.SetItems:
                    SetItems(AboveMark());
                    break;
                case PickleOp.Append:
                    Append(1);
                    break;
                case PickleOp.Appends:
                    Append(AboveMark());
                    break;
                case PickleOp.Build:
                    Drop(1); // attributes such as _metadata of a state dict: not needed
                    _ = Top();
                    break;
                case PickleOp.BinPersId:
                    Push(Persistent(Pop()));
                    break;
                case PickleOp.Reduce:
                    object arguments = Pop();
                    object callee = Pop();
                    Push(Reduce(callee as PickleGlobal ?? throw Misuse("a global to call"), arguments as PickleTuple ?? throw Misuse("a tuple of arguments")), made: 2);
                    break;
                case PickleOp.NewObj:
                    bool isEmpty = Pop() is PickleTuple { Items: [] };
                    Push(Pop() is PickleGlobal { Kind: PickleGlobalKind.Bytes } && isEmpty ? PickleNone.Instance : throw Misuse("a stream of bytes without arguments"));
                    break;
                case PickleOp.Stop:
                    object result = Pop();
                    return _stack.Count == 0 && _marks.Count == 0 && _at == _data.Length
                        ? result
                        : throw Error($"pickle opcode STOP: expected the end, got {_stack.Count} values, {_marks.Count} marks and {_data.Length - _at} bytes left over");
                default:
                    throw Error($"pickle opcode {PickleOpcodes.Describe((byte)op)}: not one of those that a checkpoint of tensors needs");
            }
        }
    }

    private readonly FileFormatException Error(string message) => new(_file, message, _offset + _opAt);

    private readonly FileFormatException Misuse(string expected) => Error($"pickle opcode {PickleOpcodes.Describe(_data[_opAt])}: expected {expected}");

    private ReadOnlySpan<byte> Take(uint count)
    {
        if (count > (uint)(_data.Length - _at))
        {
            throw Error($"pickle: expected {count} more bytes, got {_data.Length - _at}: cut off");
        }

        ReadOnlySpan<byte> bytes = _data.Slice(_at, (int)count);
        _at += (int)count;
        return bytes;
    }

    private readonly string Text(ReadOnlySpan<byte> bytes)
    {
        try
        {
            return _strict.GetString(bytes);
        }
        catch (DecoderFallbackException e)
        {
            throw new FileFormatException(_file, "pickle: expected text in UTF-8", _offset + _opAt, e);
        }
    }

    private string Line()
    {
        int length = _data.Slice(_at, Math.Min(_data.Length - _at, MaxGlobal)).IndexOf((byte)'\n');
        if (length < 0)
        {
            throw Error($"pickle opcode GLOBAL: expected two lines of at most {MaxGlobal} bytes");
        }

        string line = Text(Take((uint)length));
        _at++;
        return line;
    }

    private void PushGlobal(PickleOp op, string module, string name) =>
        Push(PickleGlobal.Find(module, name)
            ?? throw Error($"pickle opcode {PickleOpcodes.Describe((byte)op)}: global {module}.{name} is refused: only tensors, their storages and OrderedDict are read"));

    private void PushLong(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > 8)
        {
            Push(PickleNone.Instance); // no size has 64 bits; a random seed may
            return;
        }

        long value = bytes.IsEmpty || bytes[^1] < 0x80 ? 0 : -1;
        for (int i = bytes.Length - 1; i >= 0; i--)
        {
            value = (value << 8) | bytes[i];
        }

        Push(value);
    }

    private void Push(object value, int made = 1)
    {
        _made += made;
        if (_made > MaxValues || _stack.Count >= MaxValues)
        {
            throw Error($"pickle: expected at most {MaxValues} values");
        }

        _stack.Add(value);
    }

    /// <summary>The number of values a step may take: those above the last mark.</summary>
    private readonly int Available() => _stack.Count - (_marks.Count > 0 ? _marks[^1] : 0);

    private readonly object Top() => Available() > 0 ? _stack[^1] : throw Misuse("a value on the stack");

    private object Pop()
    {
        object value = Top();
        _stack.RemoveAt(_stack.Count - 1);
        return value;
    }

    private void Drop(int count)
    {
        if (count > Available())
        {
            throw Misuse($"{count} values on the stack, got {Available()}");
        }

        _stack.RemoveRange(_stack.Count - count, count);
    }

    /// <summary>Takes the last mark away; returns how many values are above it.</summary>
    private int AboveMark()
    {
        if (_marks.Count == 0)
        {
            throw Misuse("a mark");
        }

        int count = Available();
        _marks.RemoveAt(_marks.Count - 1);
        return count;
    }

    private void PushTuple(int count)
    {
        if (count > Available())
        {
            throw Misuse($"{count} values on the stack, got {Available()}");
        }

        object[] items = [.. _stack[^count..]];
        int depth = 0;
        foreach (object item in items)
        {
            depth = item is PickleTuple tuple ? Math.Max(depth, tuple.Depth) : depth;
        }

        if (depth >= MaxDepth)
        {
            throw Error($"pickle: expected at most {MaxDepth} tuples inside each other");
        }

        Drop(count);
        Push(new PickleTuple(items, depth + 1), made: 2);
    }

    private void Memoize(uint index)
    {
        _memo[index] = Top();
        if (_memo.Count > MaxValues)
        {
            throw Error($"pickle: expected at most {MaxValues} values in the memo");
        }
    }

    private void Recall(uint index) => Push(_memo.TryGetValue(index, out object? value) ? value : throw Misuse($"a value in memo slot {index}"), made: 0);

    private void SetItems(int count)
    {
        if (count > Available() - 1 || count % 2 != 0)
        {
            throw Misuse("pairs of key and value above a dict");
        }

        var dict = _stack[^(count + 1)] as PickleDict ?? throw Misuse("pairs of key and value above a dict");
        _made += count; // a pair in a dict, not only on the stack: values recalled from the memo may be set again and again
        for (int i = _stack.Count - count; i < _stack.Count; i += 2)
        {
            dict.Pairs.Add((_stack[i], _stack[i + 1]));
        }

        Drop(count);
    }

    private void Append(int count)
    {
        if (count > Available() - 1 || _stack[^(count + 1)] is not PickleList)
        {
            throw Misuse("values above a list");
        }

        Drop(count);
    }

    /// <summary>A persistent id is <c>("storage", class, key, device, element count)</c>.</summary>
    private readonly PickleStorage Persistent(object id)
    {
        return id is PickleTuple { Items: ["storage", PickleGlobal { Kind: PickleGlobalKind.Storage or PickleGlobalKind.UntypedStorage } type, string key, string, long count] } && count >= 0
            ? new PickleStorage(key, type.DType, count)
            : throw Misuse("the id (\"storage\", class, key, device, count) of a storage");
    }

    private readonly object Reduce(PickleGlobal callee, PickleTuple arguments)
    {
        switch (callee.Kind, arguments.Items)
        {
            case (PickleGlobalKind.OrderedDict, []):
                return new PickleDict();
            case (PickleGlobalKind.Bytes, _):
                return PickleNone.Instance;
            case (PickleGlobalKind.RebuildParameter, [PickleTensor tensor, bool, PickleDict]):
                return tensor;
            case (PickleGlobalKind.RebuildTensor, [PickleStorage storage, long offset, PickleTuple size, PickleTuple stride, bool, PickleDict or PickleNone, .. var more])
                when more.Length <= 1:
                return offset >= 0
                    ? new PickleTensor(storage, offset, Sizes(size, "sizes"), Sizes(stride, "strides"))
                    : throw Misuse($"an offset of at least 0, got {offset}");
            case (PickleGlobalKind.RebuildTypedTensor,
                [PickleStorage { DType: DType.U8 } storage, long offset, PickleTuple size, PickleTuple stride, bool, PickleDict or PickleNone, PickleGlobal { Kind: PickleGlobalKind.ElementType } type, .. var more])
                when more.Length <= 1:
                // Both types have one byte, so that bytes and elements count alike.
                return offset >= 0
                    ? new PickleTensor(storage with { DType = type.DType }, offset, Sizes(size, "sizes"), Sizes(stride, "strides"))
                    : throw Misuse($"an offset of at least 0, got {offset}");
            default:
                throw Misuse($"the arguments of {callee.Name}");
        }
    }

    private readonly long[] Sizes(PickleTuple tuple, string what)
    {
        if (tuple.Items.Length > Shape.MaxRank)
        {
            throw Misuse($"at most {Shape.MaxRank} dimensions, got {tuple.Items.Length}");
        }

        var sizes = new long[tuple.Items.Length];
        for (int i = 0; i < sizes.Length; i++)
        {
            sizes[i] = tuple.Items[i] is long and >= 0 ? (long)tuple.Items[i] : throw Misuse($"{what} of at least 0");
        }

        return sizes;
    }
}
