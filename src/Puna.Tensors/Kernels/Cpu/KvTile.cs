namespace Puna.Tensors.Kernels.Cpu;

/// <summary>
/// How the keys and values of 32 consecutive tokens lie in memory, for one layer and one key-value head. Keys are transposed, <c>[headDim, 32]</c>, so that a query is
/// multiplied with 32 keys side by side; values are rows, <c>[32, headDim]</c>. As q8_0, int8 is stored there instead, and behind keys and behind values the scales of
/// 32 consecutive dimensions of a token, <c>[blocks, 32]</c> halves each. The last block of a head may be short.
/// </summary>
internal readonly struct KvTile
{
    /// <summary>Tokens of a tile.</summary>
    public const int Tokens = 32;

    /// <summary>Dimensions that share a scale.</summary>
    public const int ScaleBlock = 32;

    /// <summary>Describes tiles.</summary>
    /// <param name="type">float32, float16 or q8_0.</param>
    /// <param name="headDim">Values per head; even, so that every part of a tile is a whole number of cache lines.</param>
    public KvTile(DType type, int headDim)
    {
        Type = type;
        HeadDim = headDim;
        nint values = (nint)headDim * Tokens;
        KeyBytes = type switch
        {
            DType.F32 => values * sizeof(float),
            DType.F16 => values * sizeof(ushort),
            _ => Align(values) + (Blocks(headDim) * Tokens * sizeof(ushort)),
        };
    }

    /// <summary>Type of the stored numbers.</summary>
    public DType Type { get; }

    /// <summary>Values per head.</summary>
    public int HeadDim { get; }

    /// <summary>Bytes of the keys, and of the values behind them.</summary>
    public nint KeyBytes { get; }

    /// <summary>Bytes of a tile.</summary>
    public nint ByteLength => 2 * KeyBytes;

    /// <summary>Bytes from the first int8 to the first scale.</summary>
    public nint ScaleOffset => Align((nint)HeadDim * Tokens);

    /// <summary>Scales of one token.</summary>
    public static int Blocks(int headDim) => (headDim + ScaleBlock - 1) / ScaleBlock;

    private static nint Align(nint bytes) => (bytes + 63) / 64 * 64;
}
