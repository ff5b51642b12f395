namespace Puna.Training.Data;

/// <summary>
/// Connected components of a graph that does not fit into memory, by sorting alone: large-star and small-star steps in turn (Kiveris, Lattanzi, Mirrokni, Rastogi, Vassilvitskii: Connected Components
/// in MapReduce and Beyond, SoCC 2014) until nothing changes. The result is what union-find gives.
/// </summary>
internal static class Clusters
{
    /// <summary>Turns edges into stars.</summary>
    /// <param name="edges">Records (a, b), a and b different, in either order. Disposed.</param>
    /// <param name="create">Makes sorters.</param>
    /// <returns>Records (node, least node of its component), for every node but the least ones; possibly several times the same.</returns>
    public static ExternalSorter Contract(ExternalSorter edges, Func<ExternalSorter> create)
    {
        ExternalSorter current = edges;
        (long Count, ulong Sum) before = (-1, 0);
        while (true)
        {
            (long Count, ulong Sum) now = (0, 0);
            ExternalSorter large = create();
            foreach (SortRecord edge in current.Distinct())
            {
                now = (now.Count + 1, now.Sum + TextHash.Mix((edge.A * 0x9E3779B97F4A7C15) ^ edge.B));
                large.Add(edge.A, edge.B);
                large.Add(edge.B, edge.A);
            }

            if (now == before)
            {
                large.Dispose();
                return current;
            }

            before = now;
            current.Dispose();
            ExternalSorter small = LargeStar(large, create());
            large.Dispose();
            current = SmallStar(small, create());
            small.Dispose();
        }
    }

    /// <summary>Links every greater neighbour of a node to the least of the node and its neighbours.</summary>
    private static ExternalSorter LargeStar(ExternalSorter edges, ExternalSorter result)
    {
        ulong node = ulong.MaxValue, least = 0;
        foreach (SortRecord edge in edges.Distinct())
        {
            if (edge.A != node)
            {
                node = edge.A;
                least = Math.Min(node, edge.B);
            }

            if (edge.B > node)
            {
                result.Add(edge.B, least);
            }
        }

        return result;
    }

    /// <summary>Links a node and its lesser neighbours to the least of them. Edges come with the greater node first.</summary>
    private static ExternalSorter SmallStar(ExternalSorter edges, ExternalSorter result)
    {
        ulong node = ulong.MaxValue, least = 0;
        foreach (SortRecord edge in edges.Distinct())
        {
            if (edge.A != node)
            {
                node = edge.A;
                least = edge.B;
                result.Add(node, least);
            }
            else
            {
                result.Add(edge.B, least);
            }
        }

        return result;
    }
}
