namespace Puna.Tensors.Tests.Ops;

public sealed class KvCacheTests
{
    [Theory]
    [InlineData(DType.F32)]
    [InlineData(DType.F16)]
    [InlineData(DType.Q8_0)]
    public void ACacheTakesWhatItsTypeSays(DType type)
    {
        using var cache = new KvCache(2, 4, 64, type);
        Assert.Equal(type, cache.Type);
        // Keys and values of two layers.
        Assert.Equal(2 * 2 * 4 * type.RowBytes(64), cache.BytesPerToken);
        Assert.Throws<PunaException>(() => new KvCache(1, 1, 64, DType.Q4_0));
    }

    [Fact]
    public void ForksShareBlocksUntilTheyWrite()
    {
        using var cache = new KvCache(1, 1, 32);
        using KvSequence first = cache.CreateSequence();
        Fill(first, 40, 1);
        KvSequence fork = first.Fork();
        Assert.Equal((40, 2), (fork.Length, cache.UsedBlocks));
        Assert.True(first.HasSharedTail);
        Assert.Equal(first.BlockAddress(1, 0), fork.BlockAddress(1, 0));

        // The fork's copy has what was there, and the original keeps it.
        fork.Reserve(1);
        Assert.Equal(3, cache.UsedBlocks);
        Assert.Equal(first.BlockAddress(0, 0), fork.BlockAddress(0, 0));
        Assert.NotEqual(first.BlockAddress(1, 0), fork.BlockAddress(1, 0));
        Assert.Equal(Bytes(first, 1), Bytes(fork, 1));
        Assert.False(first.HasSharedTail);
        fork.Dispose();
        Assert.Equal(2, cache.UsedBlocks);
    }

    [Fact]
    public void AForkDoesNotShareRoomThatNobodyFilled()
    {
        using var cache = new KvCache(1, 1, 32);
        using KvSequence first = cache.CreateSequence();
        Fill(first, 32, 1);
        first.Reserve(40);
        using KvSequence fork = first.Fork();
        fork.Reserve(40);
        Assert.NotEqual(first.BlockAddress(1, 0), fork.BlockAddress(1, 0));
        Assert.NotEqual(first.BlockAddress(2, 0), fork.BlockAddress(2, 0));
    }

    [Fact]
    public void APageOutlivesItsSequence()
    {
        using var cache = new KvCache(1, 1, 32);
        KvSequence first = cache.CreateSequence();
        Fill(first, 70, 5);
        byte[] bytes = Bytes(first, 1);
        KvPage[] pages = [first.Share(0), first.Share(1)];
        Assert.Throws<ArgumentOutOfRangeException>(() => first.Share(2)); // not full
        Assert.True(pages[0].IsShared);
        first.Dispose();
        Assert.Equal(2, cache.UsedBlocks);
        Assert.False(pages[0].IsShared);
        KvSequence next = cache.CreateSequence();
        next.Append(pages[0]);
        next.Append(pages[1]);
        Assert.Equal(64, next.Length);
        Assert.Equal(bytes, Bytes(next, 1));
        Fill(next, 1, 9);
        Assert.Throws<InvalidOperationException>(() => next.Append(pages[0]));
        foreach (KvPage page in pages)
        {
            page.Dispose();
            page.Dispose(); // harmless
        }

        Assert.Equal(3, cache.UsedBlocks);
        next.Dispose();
        Assert.Equal(0, cache.UsedBlocks);
    }

    [Fact]
    public void LocalLayersThatForgotABlockGoBackToWhereAChunkBegins()
    {
        // The second layer sees chunks of 64 tokens.
        using var cache = new KvCache(2, 1, 32, DType.F32, [false, true], 64);
        using KvSequence first = cache.CreateSequence();
        Fill(first, 50, 1);
        KvPage early = first.Share(0);
        Fill(first, 60, 2);
        KvPage second = first.Share(1), third = first.Share(2);
        using KvSequence next = cache.CreateSequence();
        next.Append(early);
        Assert.Equal(32, next.Restorable(32)); // shared while its chunk was there
        next.Append(second);
        next.Append(third);
        Assert.Equal(96, next.Restorable(96));
        KvPage late = first.Share(0);
        using KvSequence other = cache.CreateSequence();
        other.Append(late);
        Assert.Equal(0, other.Restorable(32)); // shared when it was forgotten
        foreach (KvPage page in (KvPage[])[early, second, third, late])
        {
            page.Dispose();
        }
    }

    private static void Fill(KvSequence sequence, int tokens, byte value)
    {
        sequence.Reserve(tokens);
        for (int block = sequence.Length / KvCache.BlockSize; block < sequence.BlockCount; block++)
        {
            NativeSpan.Create<byte>(sequence.BlockAddress(block, 0), sequence.Cache.LayerBytes, 0, (int)sequence.Cache.LayerBytes).Fill((byte)(value + block));
        }

        sequence.Advance(tokens);
    }

    private static byte[] Bytes(KvSequence sequence, int block) =>
        NativeSpan.Create<byte>(sequence.BlockAddress(block, 0), sequence.Cache.LayerBytes, 0, (int)sequence.Cache.LayerBytes).ToArray();
}
