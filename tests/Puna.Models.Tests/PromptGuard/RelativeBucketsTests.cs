using Puna.Models.PromptGuard;

namespace Puna.Models.Tests.PromptGuard;

public sealed class RelativeBucketsTests
{
    /// <summary>Values of the reference (transformers' <c>make_log_bucket_position</c>), at the sizes of Prompt Guard, of the golden, and where double arithmetic goes another way.</summary>
    [Theory]
    [InlineData(256, 512, 128, 128)]
    [InlineData(256, 512, 129, 129)]
    [InlineData(256, 512, 511, 255)]
    [InlineData(256, 512, -511, -255)]
    [InlineData(16, 64, 8, 8)]
    [InlineData(16, 64, 63, 15)]
    [InlineData(256, 512, 300, 207)]
    [InlineData(18, 65, 24, 14)]
    public void Buckets(int buckets, int limit, int distance, int expected) => Assert.Equal(expected, RelativeBuckets.Bucket(distance, buckets, limit));

    [Fact]
    public void BucketsAreOddAndNeverFall()
    {
        for (int distance = 1; distance < 700; distance++)
        {
            Assert.Equal(RelativeBuckets.Bucket(distance, 256, 512), -RelativeBuckets.Bucket(-distance, 256, 512));
            Assert.InRange(RelativeBuckets.Bucket(distance, 256, 512) - RelativeBuckets.Bucket(distance - 1, 256, 512), 0, 1);
        }
    }

    [Fact]
    public void RowsEndAtTheEdgesOfTheTable()
    {
        var config = new DebertaConfig
        {
            Hidden = 4, Ffn = 4, Layers = 1, Heads = 1, Vocab = 8, ContextLength = 64, Buckets = 16, MaxDistance = 64, NormEpsilon = 1e-7f, NormsDistances = true, Labels = ["a"],
        };
        int[] rows = RelativeBuckets.Rows(config, 1000);
        Assert.Equal((0, 16, 31, 2001), (rows[0], rows[1000], rows[^1], rows.Length));
        int[] plain = RelativeBuckets.Rows(config with { Buckets = 0 }, 3);
        Assert.Equal([61, 62, 63, 64, 65, 66, 67], plain);
    }
}
