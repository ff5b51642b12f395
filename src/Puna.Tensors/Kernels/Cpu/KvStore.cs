using System.Runtime.CompilerServices;
using Puna.Tensors.Quantization;
using Puna.Tensors.Quantization.Encoding;

namespace Puna.Tensors.Kernels.Cpu;

/// <summary>
/// Writes keys and values into tiles, rounded to the cache's type, and on request rotates the keys on the way. An item is the part of a tile that the batch fills: two
/// threads never write to one tile, whose cache lines hold all of its tokens. The arithmetic is the same on every path.
/// </summary>
internal unsafe struct KvStore : IKernelJob
{
    public KvTile Tile;
    public int KvHeads;

    /// <summary>Keys <c>[tokens, kvHeads, headDim]</c>.</summary>
    public float* K;

    /// <summary>Values, as the keys.</summary>
    public float* V;

    /// <summary>How keys are rotated before they are stored; its output receives them. Null where they come rotated.</summary>
    public Rotate* Rotate;

    public KvStoreItem* ItemList;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public readonly void Execute(int item, int worker)
    {
        KvStoreItem* part = ItemList + item;
        float* keys = Rotate is null ? K : Rotate->Y;
        int headDim = Tile.HeadDim;
        for (int r = 0; r < part->Rows && Rotate is not null; r++)
        {
            Rotate->Execute(part->FirstRow + r, worker);
        }

        for (int h = 0; h < KvHeads; h++)
        {
            byte* tile = part->Tiles + (h * Tile.ByteLength);
            for (int r = 0; r < part->Rows; r++)
            {
                nint at = (((nint)(part->FirstRow + r) * KvHeads) + h) * headDim;
                int slot = part->FirstSlot + r;
                switch (Tile.Type)
                {
                    case DType.F32:
                        Floats(keys + at, V + at, tile, slot);
                        break;
                    case DType.F16:
                        Halves(keys + at, V + at, tile, slot);
                        break;
                    default:
                        Bytes(keys + at, (sbyte*)tile, (ushort*)(tile + Tile.ScaleOffset), slot, KvTile.Tokens, 1);
                        Bytes(V + at, (sbyte*)(tile + Tile.KeyBytes), (ushort*)(tile + Tile.KeyBytes + Tile.ScaleOffset), slot, 1, headDim);
                        break;
                }
            }
        }
    }

    private readonly void Floats(float* key, float* value, byte* tile, int slot)
    {
        float* keys = (float*)tile + slot;
        float* values = (float*)(tile + Tile.KeyBytes) + ((nint)slot * Tile.HeadDim);
        for (int d = 0; d < Tile.HeadDim; d++)
        {
            keys[d * KvTile.Tokens] = key[d];
            values[d] = value[d];
        }
    }

    private readonly void Halves(float* key, float* value, byte* tile, int slot)
    {
        ushort* keys = (ushort*)tile + slot;
        ushort* values = (ushort*)(tile + Tile.KeyBytes) + ((nint)slot * Tile.HeadDim);
        for (int d = 0; d < Tile.HeadDim; d++)
        {
            keys[d * KvTile.Tokens] = FloatBits.ToHalf(key[d]);
            values[d] = FloatBits.ToHalf(value[d]);
        }
    }

    /// <summary>One token's values as q8_0: the largest magnitude of a block becomes 127; a block with a value that is not finite becomes NaN.</summary>
    private readonly void Bytes(float* from, sbyte* to, ushort* scales, int slot, int step, int slotStep)
    {
        for (int b = 0; b * KvTile.ScaleBlock < Tile.HeadDim; b++)
        {
            int first = b * KvTile.ScaleBlock;
            int count = Math.Min(KvTile.ScaleBlock, Tile.HeadDim - first);
            float largest = 0;
            bool isFinite = true;
            for (int i = 0; i < count; i++)
            {
                float magnitude = MathF.Abs(from[first + i]);
                largest = magnitude > largest ? magnitude : largest;
                isFinite &= float.IsFinite(magnitude);
            }

            float scale = largest / 127;
            float inverse = Rounding.Inverse(scale);
            scales[(b * KvTile.Tokens) + slot] = FloatBits.ToHalf(isFinite ? scale : float.NaN);
            for (int i = 0; i < count; i++)
            {
                // 1 where there is no number: NaN times 0 would do too, but the largest block of infinities must not become one of zeros.
                to[((nint)slot * slotStep) + ((nint)(first + i) * step)] = isFinite ? (sbyte)Rounding.NearestAwayFromZero(from[first + i] * inverse) : (sbyte)1;
            }
        }
    }
}
