using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Puna.Models.Vision;
using Puna.Runtime.Generation;
using Puna.Tensors;

namespace Puna.Runtime.Serving;

/// <summary>The pictures of a request: which they are, by their content, and what was made of them while the request is taken up. Belongs to the engine's thread once it is there.</summary>
internal sealed class RequestImages
{
    private readonly List<int> _found = [];

    /// <summary>Looks at the pictures.</summary>
    public RequestImages(PromptImages prompt)
    {
        Prompt = prompt;
        Names = [.. prompt.Images.Select(Hash)];
        CrossName = prompt.Mask is { } mask ? Hash(mask, Names) : default;
        PixelBytes = prompt.Images.Sum(static image => sizeof(float) * (long)image.Pixels.Length);
    }

    /// <summary>The pictures and their places.</summary>
    public PromptImages Prompt { get; }

    /// <summary>A hash of each picture's content.</summary>
    public IReadOnlyList<UInt128> Names { get; }

    /// <summary>Llama 3.2 Vision: a hash of all pictures and of which are seen together.</summary>
    public UInt128 CrossName { get; }

    /// <summary>Bytes of the pictures themselves.</summary>
    public long PixelBytes { get; }

    /// <summary>What is held in the store for them; none while the request waits.</summary>
    public ImageEntry[] Taken { get; set; } = [];

    /// <summary>Whether all that is taken is there, or cannot be.</summary>
    public bool IsReady => Array.TrueForAll(Taken, static entry => entry.IsDone);

    /// <summary>Llama 3.2 Vision: what the tokens of the request's texts see; null before <see cref="Open"/>.</summary>
    public CrossStates? States { get; private set; }

    /// <summary>Llama 4: per picture the embeddings of its patches; none before <see cref="Open"/>.</summary>
    public IReadOnlyList<Tensor> Values { get; private set; } = [];

    /// <summary>Makes what was taken ready for passes.</summary>
    /// <returns>Why that cannot be, or null.</returns>
    public Exception? Open()
    {
        foreach (ImageEntry entry in Taken)
        {
            if (entry.Error is not null)
            {
                return entry.Error;
            }
        }

        if (Prompt.Mask is { } mask)
        {
            // The name says that tokens see the same sets.
            States = Taken[0].States!.TryMove(mask) ?? throw new InvalidOperationException("pictures: expected those of the request, got others");
        }
        else
        {
            Values = [.. Taken.Select(static entry => entry.Values)];
        }

        return null;
    }

    /// <summary>Lets go of what was made ready; the store takes back what was taken.</summary>
    public void Close() => (States, Values) = (null, []);

    /// <summary>The content that some tokens stand for, as bytes: nothing where none of them stands for a picture.</summary>
    /// <param name="first">First of the tokens.</param>
    /// <param name="end">Behind the last of them.</param>
    public byte[] ContentOf(int first, int end)
    {
        Prompt.FindIn(first, end, _found);
        var bytes = new byte[16 * _found.Count];
        for (int i = 0; i < _found.Count; i++)
        {
            BinaryPrimitives.WriteUInt128LittleEndian(bytes.AsSpan(16 * i), Names[_found[i]]);
        }

        return bytes;
    }

    private static UInt128 Hash(TiledImage image)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(MemoryMarshal.AsBytes<int>([image.Grid.Rows, image.Grid.Columns, image.Side, image.Tiles]));

        // A span of bytes holds 2 GB at most, and so may an image's values.
        ReadOnlySpan<float> pixels = image.Pixels;
        const int Most = 1 << 28;
        for (int at = 0; at < pixels.Length; at += Most)
        {
            hash.AppendData(MemoryMarshal.AsBytes(pixels.Slice(at, Math.Min(Most, pixels.Length - at))));
        }

        return Read(hash);
    }

    private static UInt128 Hash(CrossMask mask, IReadOnlyList<UInt128> names)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(MemoryMarshal.AsBytes<int>([mask.Images, mask.MaxTiles, mask.Sets.Count]));
        hash.AppendData(MemoryMarshal.AsBytes<UInt128>([.. names]));
        foreach (IReadOnlyList<int> set in mask.Sets)
        {
            hash.AppendData(MemoryMarshal.AsBytes<int>([set.Count, .. set]));
        }

        return Read(hash);
    }

    private static UInt128 Read(IncrementalHash hash)
    {
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        hash.GetHashAndReset(digest);
        return BinaryPrimitives.ReadUInt128LittleEndian(digest);
    }
}
