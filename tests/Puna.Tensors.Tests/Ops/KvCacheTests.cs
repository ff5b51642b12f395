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
}
