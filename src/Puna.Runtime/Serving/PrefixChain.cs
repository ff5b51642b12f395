using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Puna.Tensors;

namespace Puna.Runtime.Serving;

/// <summary>Names of a text's full blocks: each is the hash of the block's tokens and of the name before it, so that equal names mean equal texts up to there.</summary>
internal sealed class PrefixChain
{
    private readonly List<UInt128> _names = [];
    private UInt128? _root;

    /// <summary>How many blocks of this text are in the prefix cache on its behalf.</summary>
    public int Committed { get; set; }

    /// <summary>The name of a block.</summary>
    /// <param name="block">Its number.</param>
    /// <param name="tokens">The text, at least to the end of the block.</param>
    /// <param name="salt">Texts with different salts share no names.</param>
    public UInt128 Name(int block, ReadOnlySpan<int> tokens, string salt)
    {
        while (_names.Count <= block)
        {
            int at = _names.Count;
            UInt128 parent = at > 0 ? _names[^1] : _root ??= Hash(0, Encoding.UTF8.GetBytes(salt));
            _names.Add(Hash(parent, MemoryMarshal.AsBytes(tokens.Slice(at * KvCache.BlockSize, KvCache.BlockSize))));
        }

        return _names[block];
    }

    private static UInt128 Hash(UInt128 parent, ReadOnlySpan<byte> bytes)
    {
        Span<byte> start = stackalloc byte[16];
        BinaryPrimitives.WriteUInt128LittleEndian(start, parent);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(start);
        hash.AppendData(bytes);
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        hash.GetHashAndReset(digest);
        return BinaryPrimitives.ReadUInt128LittleEndian(digest);
    }
}
