namespace Puna.Training.Plots;

/// <summary>Takes points away that nobody would see.</summary>
internal static class ChartThinning
{
    /// <summary>
    /// Of points in a row that share a column, at most four stay, in their order: the first, the last, the lowest and the highest. The line covers the same pixels as before.
    /// </summary>
    /// <param name="points">Places in pixels.</param>
    /// <param name="column">Width of a column.</param>
    public static List<ChartPoint> Thin(IReadOnlyList<ChartPoint> points, double column)
    {
        var kept = new List<ChartPoint>();
        int begin = 0;
        while (begin < points.Count)
        {
            double here = Math.Floor(points[begin].X / column);
            int end = begin, low = begin, high = begin;
            while (end < points.Count && Math.Floor(points[end].X / column) == here)
            {
                low = points[end].Y < points[low].Y ? end : low;
                high = points[end].Y > points[high].Y ? end : high;
                end++;
            }

            int previous = -1;
            foreach (int i in (ReadOnlySpan<int>)[begin, Math.Min(low, high), Math.Max(low, high), end - 1])
            {
                if (i > previous)
                {
                    kept.Add(points[i]);
                    previous = i;
                }
            }

            begin = end;
        }

        return kept;
    }
}
