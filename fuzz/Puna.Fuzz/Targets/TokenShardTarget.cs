using System.Buffers.Binary;
using System.Numerics;
using Puna.Formats;
using Puna.Tensors;
using Puna.Training.Data;

namespace Puna.Fuzz.Targets;

/// <summary>A shard of tokens: its header, the checksums, then every document.</summary>
public sealed class TokenShardTarget : IFuzzTarget
{
    // Facts of the format, spelled out here so as not to repeat a mistake of the reader's.
    private const int Header = 512;
    private const int Entry = 16;

    /// <inheritdoc/>
    public string Name => "tokenshard";

    /// <inheritdoc/>
    public IReadOnlyList<byte[]> Corpus { get; } =
    [
        Written(100, "web", [1, 2, 3], [4], [5, 6, 99]),
        Written(70_000, "bücher", [69_999], [0, 1]),
        Written(5, ""),
    ];

    /// <inheritdoc/>
    public void Run(byte[] input)
    {
        using NativeStorage storage = TargetFiles.Storage(input);
        using TokenShard shard = TokenShard.Parse(storage, "fuzz.punatok");
        var document = new TokenDocument();
        long tokens = 0;
        for (long i = 0; i < shard.Documents; i++)
        {
            shard.Read(i, document);
            tokens += document.Tokens.Count;
            foreach (int token in document.Tokens)
            {
                if ((uint)token >= (uint)shard.VocabularySize)
                {
                    throw new InvalidOperationException($"token {token} is not in the vocabulary");
                }
            }
        }

        shard.Verify();
        if (tokens != shard.Tokens)
        {
            throw new InvalidOperationException($"{tokens} tokens were read where the header says {shard.Tokens}");
        }
    }

    /// <summary>Changes fields of the header and the index, and signs both anew.</summary>
    public byte[] MutateStructure(FuzzRandom random, byte[] input)
    {
        byte[] bytes = [.. input];
        int index = bytes.Length - (Entry * (int)BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(24)));
        for (int changes = random.Changes(4); changes > 0; changes--)
        {
            int width = random.Pick(1, 2, 4, 8);
            int at = random.OneIn(2) || index > bytes.Length - width ? 8 + random.Below(130) : index + random.Below(bytes.Length - index - width + 1);
            Span<byte> field = bytes.AsSpan(at, width);
            ulong value = 0;
            for (int i = width - 1; i >= 0; i--)
            {
                value = (value << 8) | field[i];
            }

            random.Write(field, random.Interesting(value));
        }

        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(84), Checksum(bytes.AsSpan(index)));
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(Header - 4), Checksum(bytes.AsSpan(0, Header - 4)));
        return bytes;
    }

    private static uint Checksum(ReadOnlySpan<byte> bytes)
    {
        uint crc = uint.MaxValue;
        foreach (byte b in bytes)
        {
            crc = BitOperations.Crc32C(crc, b);
        }

        return ~crc;
    }

    private static byte[] Written(int vocabulary, string source, params int[][] documents) => TargetFiles.Written("a.punatok", path =>
    {
        using var files = new StagedFiles();
        using var writer = new ShardWriter(files, path, new byte[32], vocabulary, source);
        foreach (int[] document in documents)
        {
            writer.Add(document, 7);
        }

        writer.Complete();
        files.Commit();
    });
}
