using System.Buffers.Binary;
using System.Text;
using Puna.Formats;
using Puna.Formats.Meta;
using Puna.Tensors;

namespace Puna.Fuzz.Targets;

/// <summary>The pickle inside a torch checkpoint: first alone, then in a valid zip with storages of 64 bytes, whose tensors are read.</summary>
public sealed class TorchPickleTarget : IFuzzTarget
{
    private const int StorageBytes = 64;

    // Every opcode there is, those that are not read among them; repeated where worth repeating.
    private static readonly byte[] _ops =
    [
        .. "(((...JKMNGQQRRXXaabcc}}eeh]qjrrssttuuu)))"u8, 0x80, 0x85, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x8c, 0x93, 0x94, 0x95,
        .. "0126FILPSTUVdgilopBC"u8, 0x81, 0x82, 0x8b, 0x8d, 0x8f, 0x90, 0x92, 0x97,
    ];

    private static readonly (string Module, string Name)[] _globals =
    [
        ("torch._utils", "_rebuild_tensor_v2"), ("torch._utils", "_rebuild_parameter"), ("collections", "OrderedDict"), ("torch", "FloatStorage"), ("torch", "HalfStorage"),
        ("torch", "BoolStorage"), ("torch", "LongStorage"), ("os", "system"), ("torch", "QInt8Storage"), ("", ""),
    ];

    // Llama 4's tensors that are taken to pieces, and names that only look like theirs.
    private static readonly string[] _pieces =
    [
        "layers.0.feed_forward.mlp.fc1_weight", "layers.0.feed_forward.mlp.fc2_weight", "layers.0.feed_forward.router_DE", "layers.0.feed_forward.experts.moe_w_in_eD_F",
        "layers.0.feed_forward.experts.moe_w_out_eF_D.weight", "layers.0.attention.wqkv.layer_norm_weight", "fc1_weight", "fc2_weight", "moe_w_swiglu_eD_F", "router_DE", "layer_norm_weight",
    ];

    /// <inheritdoc/>
    public string Name => "torch-pickle";

    /// <inheritdoc/>
    public IReadOnlyList<byte[]> Corpus { get; } =
    [
        TorchPickleWriter.Write([Spec("w", DType.F32, 4, 4), Spec("b", DType.F32, 16), Spec("x", DType.F16, 2, 2, 8), Spec("s", DType.I64, 8)]),
        TorchPickleWriter.Write([Spec("a", DType.U8, 1, 64), Spec("b", DType.BF16, 2, 1, 2, 8)]),
        Build(new FuzzRandom(1), 0),
        Build(new FuzzRandom(2), 0),
        Build(new FuzzRandom(3), 0),
    ];

    /// <inheritdoc/>
    public void Run(byte[] input)
    {
        IReadOnlyList<TorchTensor> tensors = TorchPickle.Read(input, "data.pkl");
        byte[] zip = TargetFiles.Zip([("a/data.pkl", input), .. Enumerable.Range(0, 4).Select(i => ($"a/data/{i}", new byte[StorageBytes]))]);
        using NativeStorage storage = TargetFiles.Storage(zip);
        using MetaCheckpoint checkpoint = MetaCheckpoint.Parse(storage, "fuzz.pth");
        foreach (TorchTensor tensor in tensors)
        {
            // The claim that matters, in arithmetic that cannot overflow: no accepted tensor reaches outside its storage.
            Int128 last = tensor.Offset;
            bool empty = false;
            for (int i = 0; i < tensor.Size.Count; i++)
            {
                last += (Int128)(tensor.Size[i] - 1) * tensor.Stride[i];
                empty |= tensor.Size[i] == 0;
            }

            if (!empty && (last + 1) * tensor.DType.BlockBytes() > StorageBytes)
            {
                throw new InvalidOperationException($"tensor {tensor.Name} reaches outside its storage");
            }
        }

        TargetFiles.ReadAll(checkpoint);
    }

    /// <inheritdoc/>
    public byte[] MutateStructure(FuzzRandom random, byte[] input) => random.OneIn(3) ? Noise(random) : Build(random, random.Below(4));

    /// <summary>Opcodes with well-formed arguments in any order.</summary>
    private static byte[] Noise(FuzzRandom random)
    {
        var pickle = new Writer();
        pickle.Op(0x80, 2);
        for (int i = random.Below(60); i > 0; i--)
        {
            byte op = _ops[random.Below(_ops.Length)];
            switch (op)
            {
                case (byte)'c':
                    (string module, string name) = _globals[random.Below(_globals.Length)];
                    pickle.Global(module, name);
                    break;
                case (byte)'X':
                    pickle.Text(random.Pick("storage", "cpu", "0", "model", "w", "torch", "FloatStorage", ""));
                    break;
                case (byte)'K' or (byte)'h' or (byte)'q':
                    pickle.Op(op, (byte)random.Below(8));
                    break;
                case 0x80:
                    pickle.Op(op, 2);
                    break;
                case 0x8a:
                    pickle.Int((long)random.Interesting());
                    break;
                case (byte)'J' or (byte)'j' or (byte)'r':
                    pickle.Op(op, (byte)random.Below(8), 0, 0, 0);
                    break;
                default:
                    pickle.Op(op);
                    break;
            }

            if (random.OneIn(40))
            {
                pickle.Repeat(random, random.Pick(2, 30, 3000)); // nesting
            }
        }

        return pickle.Op((byte)'.').Bytes;
    }

    /// <summary>A checkpoint that is right but for some lies in its numbers, names and opcodes.</summary>
    private static byte[] Build(FuzzRandom random, int lies)
    {
        var pickle = new Writer();
        bool Lie() => lies > 0 && random.OneIn(12) && lies-- > 0;
        long Number(long truth) => Lie() ? (long)random.Interesting((ulong)truth) : truth;
        string Word(string truth) => Lie() ? random.Pick("storage", "cpu", "0", "3", "4", "../0", "model", "system", "FloatStorage", "torch", "os", "OrderedDict", "") : truth;
        byte Op(char truth) => Lie() ? _ops[random.Below(_ops.Length)] : (byte)truth;

        bool nested = random.OneIn(3), ordered = random.OneIn(3);
        pickle.Op(0x80, Lie() ? (byte)random.Next() : (byte)2);
        if (nested)
        {
            pickle.Op(Op('}')).Op(Op('(')).Text("other").Op((byte)'N').Text(Word("model"));
        }

        if (ordered)
        {
            pickle.Global(Word("collections"), Word("OrderedDict")).Op(Op(')')).Op(Op('R')).Op((byte)'q', 9);
        }
        else
        {
            pickle.Op(Op('}')).Op((byte)'q', 9);
        }

        pickle.Op(Op('('));
        for (int i = random.Below(4); i >= 0; i--)
        {
            pickle.Text(Lie() ? "w0" : random.OneIn(4) ? random.Pick(_pieces) : $"w{i}");
            Tensor(i);
        }

        pickle.Op(Op('u'));
        if (ordered)
        {
            pickle.Op(Op('}')).Text("_metadata").Op(Lie() ? (byte)'N' : (byte)'h', 9).Op(Op('s')).Op(Op('b'));
        }

        return pickle.Op(nested ? [Op('u'), Op('.')] : [Op('.')]).Bytes;

        void Tensor(int i)
        {
            (string type, int width) = random.Pick(("FloatStorage", 4), ("HalfStorage", 2), ("BFloat16Storage", 2), ("DoubleStorage", 8), ("CharStorage", 1));
            bool parameter = random.OneIn(4);
            int count = StorageBytes / width, left = count, rank = random.Below(4);
            long[] size = new long[rank], stride = new long[rank];
            long step = 1;
            for (int d = rank - 1; d >= 0; d--)
            {
                size[d] = 1 + random.Below(Math.Min(left, 4));
                stride[d] = size[d] == 1 ? random.Below(1000) : step;
                step *= size[d];
                left = (int)(count / step);
            }

            if (random.OneIn(3) && rank > 1)
            {
                Array.Reverse(size);
                Array.Reverse(stride);
            }

            if (parameter)
            {
                pickle.Global("torch._utils", Word("_rebuild_parameter")).Op(Op('('));
            }

            pickle.Global(Word("torch._utils"), Word("_rebuild_tensor_v2")).Op(Op('(')).Op(Op('('));
            pickle.Text(Word("storage")).Global("torch", Word(type)).Text(Word($"{i % 4}")).Text(Word("cpu")).Int(Number(count)).Op(Op('t')).Op(Op('Q'));
            pickle.Int(Number(random.Below(count - (int)step + 1)));
            foreach (long[] numbers in (long[][])[size, stride])
            {
                pickle.Op(Op('('));
                foreach (long number in numbers)
                {
                    pickle.Int(Number(number));
                }

                pickle.Op(Op('t'));
            }

            pickle.Op(0x89).Global("collections", Word("OrderedDict")).Op(Op(')')).Op(Op('R')).Op(Op('t')).Op(Op('R')).Op((byte)'q', (byte)i);
            if (parameter)
            {
                pickle.Op(0x88).Global("collections", "OrderedDict").Op(Op(')')).Op(Op('R')).Op(Op('t')).Op(Op('R'));
            }
        }
    }

    private static TensorSpec Spec(string name, DType type, params long[] sizes) => new(name, type, new Shape(sizes), 0);

    private sealed class Writer
    {
        private readonly List<byte> _bytes = [];

        public byte[] Bytes => [.. _bytes];

        public Writer Op(params ReadOnlySpan<byte> bytes)
        {
            _bytes.AddRange(bytes);
            return this;
        }

        public Writer Text(string text)
        {
            byte[] bytes = Encoding.UTF8.GetBytes(text);
            return Op((byte)'X', (byte)bytes.Length, 0, 0, 0).Op(bytes);
        }

        public Writer Global(string module, string name) => Op((byte)'c').Op(Encoding.ASCII.GetBytes($"{module}\n{name}\n"));

        public Writer Int(long value)
        {
            byte[] bytes = new byte[8];
            BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
            return value is >= 0 and < 256 ? Op((byte)'K', bytes[0]) : Op(0x8a, 8).Op(bytes);
        }

        public void Repeat(FuzzRandom random, int times)
        {
            byte[] piece = [.. _bytes.TakeLast(1 + random.Below(3))];
            for (int i = 0; i < times; i++)
            {
                _bytes.AddRange(piece);
            }
        }
    }
}
