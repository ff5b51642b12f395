namespace Puna.Training.Scaling;

/// <summary>Small systems of linear equations.</summary>
internal static class LinearSystem
{
    /// <summary>Gauss's elimination with the largest pivot of each column.</summary>
    /// <param name="rows">Per equation its factors and, last, its right side; overwritten.</param>
    /// <returns>The solution, or null where there is no single one.</returns>
    public static double[]? Solve(double[][] rows)
    {
        int size = rows.Length;
        for (int column = 0; column < size; column++)
        {
            int pivot = column;
            for (int row = column + 1; row < size; row++)
            {
                pivot = Math.Abs(rows[row][column]) > Math.Abs(rows[pivot][column]) ? row : pivot;
            }

            (rows[column], rows[pivot]) = (rows[pivot], rows[column]);
            if (!(Math.Abs(rows[column][column]) > 1e-300))
            {
                return null;
            }

            for (int row = column + 1; row < size; row++)
            {
                double factor = rows[row][column] / rows[column][column];
                for (int i = column; i <= size; i++)
                {
                    rows[row][i] -= factor * rows[column][i];
                }
            }
        }

        var solution = new double[size];
        for (int row = size - 1; row >= 0; row--)
        {
            double sum = rows[row][size];
            for (int i = row + 1; i < size; i++)
            {
                sum -= rows[row][i] * solution[i];
            }

            solution[row] = sum / rows[row][row];
        }

        return Array.TrueForAll(solution, double.IsFinite) ? solution : null;
    }
}
