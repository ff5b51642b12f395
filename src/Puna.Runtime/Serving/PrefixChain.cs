using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Puna.Tensors;

namespace Puna.Runtime.Serving;

/// <summary>Names of a text's full blocks: each is the hash of the block's tokens, of the pictures that these stand for and of the name before it, so that equal names mean equal texts with equal pictures up to there.</summary>
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
    /// <param name="images">The text's pictures, or null.</param>
    public UInt128 Name(int block, ReadOnlySpan<int> tokens, string salt, RequestImages? images = null)
    {
        while (_names.Count <= block)
        {
            int at = _names.Count, first = at * KvCache.BlockSize;
            UInt128 parent = at > 0 ? _names[^1] : _root ??= Hash(0, Encoding.UTF8.GetBytes(salt), []);
            _names.Add(Hash(parent, MemoryMarshal.AsBytes(tokens.Slice(first, KvCache.BlockSize)), images?.ContentOf(first, first + KvCache.BlockSize)));
        }

        return _names[block];
    }

    private static UInt128 Hash(UInt128 parent, ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> content)
    {
        Span<byte> start = stackalloc byte[16];
        BinaryPrimitives.WriteUInt128LittleEndian(start, parent);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(start);
        hash.AppendData(bytes);
        hash.AppendData(content);
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        hash.GetHashAndReset(digest);
        return BinaryPrimitives.ReadUInt128LittleEndian(digest);
    }
}
