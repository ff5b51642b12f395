using System.Globalization;
using Puna.Tensors;

namespace Puna.Training.Data;

/// <summary>
/// The documents of some shards without end: each epoch has every document once, in an order of its own that is a pure function of seed and epoch. The position is the whole state, and going to any
/// position costs the same.
/// </summary>
public sealed class ShardStream : ITokenStream
{
    private readonly TokenShard[] _shards;
    private readonly long[] _firsts;
    private readonly ulong _seed;
    private readonly bool _shuffle;
    private readonly string _source;
    private long _position;
    private Permutation _order;
    private long _orderEpoch = -1;

    /// <summary>Creates a stream.</summary>
    /// <param name="shards">The shards, of one tokenizer, with at least one document. They stay the caller's.</param>
    /// <param name="seed">Decides the orders.</param>
    /// <param name="shuffle">False gives the documents in the order of the shards, the same every epoch.</param>
    /// <exception cref="PunaException">There is no document, or the shards are of different tokenizers.</exception>
    public ShardStream(IReadOnlyList<TokenShard> shards, ulong seed, bool shuffle = true)
    {
        ArgumentNullException.ThrowIfNull(shards);
        _shards = [.. shards];
        _firsts = new long[_shards.Length];
        _seed = seed;
        _shuffle = shuffle;
        uint identity = 0;
        Span<byte> checksum = stackalloc byte[4];
        for (int i = 0; i < _shards.Length; i++)
        {
            if (!_shards[i].Tokenizer.SequenceEqual(_shards[0].Tokenizer))
            {
                throw new PunaException($"shard {_shards[i].Path}: expected the tokenizer of {_shards[0].Path}, got another");
            }

            _firsts[i] = Documents;
            Documents += _shards[i].Documents;
            Tokens += _shards[i].Tokens;
            System.Buffers.Binary.BinaryPrimitives.WriteUInt32LittleEndian(checksum, _shards[i].Checksum);
            identity = Crc32C.Append(identity, checksum);
        }

        if (Documents == 0)
        {
            throw new PunaException($"shards: expected at least one document, got none in {_shards.Length} shards");
        }

        _source = string.Create(CultureInfo.InvariantCulture, $"shards {identity:x8} of {Documents} documents, {(shuffle ? $"seed {seed}" : "in order")}");
    }

    /// <summary>Documents of an epoch.</summary>
    public long Documents { get; }

    /// <summary>Tokens of an epoch.</summary>
    public long Tokens { get; }

    /// <summary>The epoch that the next document belongs to, from 0.</summary>
    public long Epoch => _position / Documents;

    /// <inheritdoc/>
    public StreamState State
    {
        get => StreamState.Plain(_source, _position);
        set
        {
            ArgumentNullException.ThrowIfNull(value);
            _position = value.Source == _source && value.Position >= 0 ? value.Position
                : throw new PunaException($"state of a shard stream: expected one of '{_source}', got '{value.Source}' at {value.Position}");
        }
    }

    /// <inheritdoc/>
    public void Next(TokenDocument document)
    {
        long number = _position % Documents;
        if (_shuffle)
        {
            if (_orderEpoch != Epoch)
            {
                _orderEpoch = Epoch;
                _order = new Permutation(Documents, _seed, _orderEpoch);
            }

            number = _order[number];
        }

        // Shards without documents begin where the next one does; the last one that begins at or before the number has it.
        int found = Array.BinarySearch(_firsts, number);
        int shard = found >= 0 ? found : ~found - 1;
        while (number - _firsts[shard] >= _shards[shard].Documents)
        {
            shard++;
        }

        _shards[shard].Read(number - _firsts[shard], document);
        _position++;
    }
}
