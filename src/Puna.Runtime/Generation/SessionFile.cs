using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Puna.Formats;
using Puna.Formats.Packed;
using Puna.Models;
using Puna.Tensors;

namespace Puna.Runtime.Generation;

/// <summary>
/// A text and what a model remembers of it, on disk: a head of fixed size, the tokens, a checksum of both, and then every block with a checksum of its own. Numbers are little-endian.
/// Only full blocks are kept, so that nothing which happened to lie in memory gets into the file.
/// </summary>
internal static class SessionFile
{
    private const uint Version = 1;
    private const int HeadBytes = 80;

    private static ReadOnlySpan<byte> Magic => "PUNASESS"u8;

    /// <summary>Writes a file.</summary>
    public static void Write(string path, byte[] fingerprint, KvSequence sequence, ReadOnlySpan<int> tokens)
    {
        int blocks = sequence.Length / KvCache.BlockSize, firstLocal = Math.Min(sequence.FirstLocalBlock, blocks);
        using var files = new StagedFiles();
        FileStream file = files.Create(path);
        try
        {
            byte[] head = Head(fingerprint, sequence.Cache, blocks, firstLocal, tokens[..(blocks * KvCache.BlockSize)]);
            file.Write(head);
            WriteChecksum(file, head);
            for (int i = 0; i < blocks; i++)
            {
                WriteBlock(file, sequence.BlockContent(i, local: false));
                if (i >= firstLocal && sequence.Cache.LocalBlockBytes > 0)
                {
                    WriteBlock(file, sequence.BlockContent(i, local: true));
                }
            }

            files.Commit();
        }
        catch (IOException e)
        {
            throw new PunaException($"session {path}: cannot be written: {e.Message}", e);
        }
    }

    /// <summary>Reads a file.</summary>
    public static KvSequence Read(string path, byte[] fingerprint, KvCache cache, LlamaConfig config, out int[] tokens)
    {
        try
        {
            using FileStream file = File.OpenRead(path);
            byte[] fixedPart = Take(file, HeadBytes, path);
            if (!fixedPart.AsSpan(0, Magic.Length).SequenceEqual(Magic) || BinaryPrimitives.ReadUInt32LittleEndian(fixedPart.AsSpan(8)) != Version)
            {
                throw new PunaException($"session {path}: expected a session file of version {Version}, got another file");
            }

            int blocks = BinaryPrimitives.ReadInt32LittleEndian(fixedPart.AsSpan(72)), firstLocal = BinaryPrimitives.ReadInt32LittleEndian(fixedPart.AsSpan(76));
            long count = (long)blocks * KvCache.BlockSize;
            if (blocks < 0 || firstLocal < 0 || firstLocal > blocks || count > config.TokenLimit)
            {
                throw new PunaException($"session {path}: expected at most {config.TokenLimit} tokens, got {count} and local ones from {firstLocal * (long)KvCache.BlockSize} on");
            }

            byte[] own = Head(fingerprint, cache, blocks, firstLocal, []);
            if (!own.AsSpan(0, HeadBytes).SequenceEqual(fixedPart))
            {
                throw new PunaException($"session {path}: expected one of this model and this type of cache ({cache.Type.Name()}), got another's");
            }

            long local = cache.LocalBlockBytes > 0 ? (blocks - firstLocal) * (cache.LocalBlockBytes + LaneChecksum.Bytes) : 0;
            long expected = HeadBytes + (4 * count) + LaneChecksum.Bytes + (blocks * (cache.BlockBytes - cache.LocalBlockBytes + LaneChecksum.Bytes)) + local;
            if (file.Length != expected)
            {
                throw new PunaException($"session {path}: expected {expected} bytes, got {file.Length}");
            }

            byte[] head = [.. fixedPart, .. Take(file, (int)(4 * count), path)];
            Check(file, head, path, "head");
            tokens = [.. MemoryMarshal.Cast<byte, int>(head.AsSpan(HeadBytes))];
            foreach (int token in tokens)
            {
                if ((uint)token >= (uint)config.Vocab)
                {
                    throw new PunaException($"session {path}: expected token ids below {config.Vocab}, got {token}");
                }
            }

            return ReadBlocks(file, path, cache, blocks, firstLocal);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new PunaException($"session {path}: cannot be read: {e.Message}", e);
        }
    }

    private static KvSequence ReadBlocks(FileStream file, string path, KvCache cache, int blocks, int firstLocal)
    {
        KvSequence sequence = cache.CreateSequence();
        try
        {
            sequence.Restore(blocks, firstLocal);
            for (int i = 0; i < blocks; i++)
            {
                ReadBlock(file, path, sequence.BlockContent(i, local: false), i);
                if (i >= firstLocal && cache.LocalBlockBytes > 0)
                {
                    ReadBlock(file, path, sequence.BlockContent(i, local: true), i);
                }
            }

            return sequence;
        }
        catch
        {
            sequence.Dispose();
            throw;
        }
    }

    private static byte[] Head(byte[] fingerprint, KvCache cache, int blocks, int firstLocal, ReadOnlySpan<int> tokens)
    {
        var head = new byte[HeadBytes + (4 * tokens.Length)];
        Magic.CopyTo(head);
        BinaryPrimitives.WriteUInt32LittleEndian(head.AsSpan(8), Version);
        BinaryPrimitives.WriteUInt32LittleEndian(head.AsSpan(12), (uint)cache.Type);
        fingerprint.CopyTo(head, 16);
        BinaryPrimitives.WriteInt64LittleEndian(head.AsSpan(48), cache.BlockBytes);
        BinaryPrimitives.WriteInt64LittleEndian(head.AsSpan(56), cache.LocalBlockBytes);
        BinaryPrimitives.WriteInt32LittleEndian(head.AsSpan(64), KvCache.BlockSize);
        BinaryPrimitives.WriteInt32LittleEndian(head.AsSpan(68), cache.Chunk);
        BinaryPrimitives.WriteInt32LittleEndian(head.AsSpan(72), blocks);
        BinaryPrimitives.WriteInt32LittleEndian(head.AsSpan(76), firstLocal);
        for (int i = 0; i < tokens.Length; i++)
        {
            BinaryPrimitives.WriteInt32LittleEndian(head.AsSpan(HeadBytes + (4 * i)), tokens[i]);
        }

        return head;
    }

    private static void WriteBlock(FileStream file, ReadOnlySpan<byte> block)
    {
        file.Write(block);
        WriteChecksum(file, block);
    }

    private static void ReadBlock(FileStream file, string path, Span<byte> block, int number)
    {
        file.ReadExactly(block);
        Check(file, block, path, $"block {number}");
    }

    private static void WriteChecksum(FileStream file, ReadOnlySpan<byte> bytes)
    {
        Span<byte> sum = stackalloc byte[LaneChecksum.Bytes];
        BinaryPrimitives.WriteUInt128LittleEndian(sum, LaneChecksum.Of(bytes));
        file.Write(sum);
    }

    private static void Check(FileStream file, ReadOnlySpan<byte> bytes, string path, string what)
    {
        Span<byte> sum = stackalloc byte[LaneChecksum.Bytes];
        file.ReadExactly(sum);
        if (BinaryPrimitives.ReadUInt128LittleEndian(sum) != LaneChecksum.Of(bytes))
        {
            throw new PunaException($"session {path}: expected undamaged bytes, got another checksum ({what})");
        }
    }

    private static byte[] Take(FileStream file, int count, string path)
    {
        if (file.Length - file.Position < count)
        {
            throw new PunaException($"session {path}: expected {count} bytes more, got {file.Length - file.Position} (truncated)");
        }

        var bytes = new byte[count];
        file.ReadExactly(bytes);
        return bytes;
    }
}
