namespace Puna.Models.PromptGuard;

/// <summary>Which row of DeBERTa's table a distance reads: near distances have a row each, far ones share rows on a logarithmic scale (spec llama4.md 14.2).</summary>
public static class RelativeBuckets
{
    /// <summary>The rows for all distances (position of the query less that of the key) from <c>-farthest</c> to <c>farthest</c>.</summary>
    /// <param name="config">Buckets and limits.</param>
    /// <param name="farthest">The longest distance.</param>
    public static int[] Rows(DebertaConfig config, int farthest)
    {
        int half = config.DistanceRows / 2;
        var rows = new int[(2 * farthest) + 1];
        for (int distance = -farthest; distance <= farthest; distance++)
        {
            rows[distance + farthest] = Math.Clamp(Bucket(distance, config.Buckets, config.MaxDistance) + half, 0, config.DistanceRows - 1);
        }

        return rows;
    }

    /// <summary>The signed bucket of a distance.</summary>
    /// <param name="distance">Position of the query less that of the key.</param>
    /// <param name="buckets">Buckets to each side; 0 where a distance is its own bucket.</param>
    /// <param name="maxDistance">One more than the distance at which the last bucket is reached.</param>
    public static int Bucket(int distance, int buckets, int maxDistance)
    {
        int middle = buckets / 2, far = Math.Abs(distance);
        if (buckets == 0 || far <= middle)
        {
            return distance;
        }

        // In float32, with logarithms rounded correctly, as the reference computes: in double about one in 100,000 combinations of sizes ends in another bucket.
        float share = Log(far / (float)middle) / Log((float)((maxDistance - 1) / (double)middle));
        return Math.Sign(distance) * (middle + (int)MathF.Ceiling(share * (middle - 1)));
    }

    private static float Log(float x) => (float)Math.Log(x);
}
