using System.Globalization;

namespace Puna.Training.Plots;

/// <summary>An axis: from values to places between 0 and 1, and the values that get a line and a label.</summary>
internal sealed class ChartAxis
{
    /// <summary>Values beyond are treated like infinite ones, so that differences are finite.</summary>
    private const double Largest = 1e300;
    private const double SmallestSpan = 1e-290;

    private readonly double _low;
    private readonly double _high;

    private ChartAxis(double low, double high, bool log, int ticks)
    {
        (_low, _high, Log) = (low, high, log);
        Ticks = log ? LogTicks(ticks) : LinearTicks(low, high, ticks);
    }

    /// <summary>Whether places are those of logarithms.</summary>
    public bool Log { get; }

    /// <summary>Values with their labels, ascending.</summary>
    public IReadOnlyList<(double Value, string Label)> Ticks { get; }

    /// <summary>Whether a value has a place on an axis.</summary>
    public static bool CanShow(double value, bool log) => Math.Abs(value) <= Largest && (!log || value > 0);

    /// <summary>An axis on which all values have their place.</summary>
    /// <param name="values">The values; those without a place are ignored.</param>
    /// <param name="log">Whether it is logarithmic.</param>
    /// <param name="padding">Share of the span that is added at either end.</param>
    /// <param name="ticks">The most labels that there is room for.</param>
    public static ChartAxis Create(IEnumerable<double> values, bool log, double padding, int ticks)
    {
        double low = double.PositiveInfinity, high = double.NegativeInfinity;
        foreach (double value in values)
        {
            if (CanShow(value, log))
            {
                double place = log ? Math.Log10(value) : value;
                (low, high) = (Math.Min(low, place), Math.Max(high, place));
            }
        }

        if (low > high)
        {
            (low, high) = (0, 1);
        }

        // A constant, or what rounding makes of one: some room around it.
        double size = Math.Max(Math.Abs(low), Math.Abs(high));
        if (high - low <= Math.Max(size * 1e-9, SmallestSpan))
        {
            double room = log ? 0.5 : size <= SmallestSpan ? 1 : size * 0.1;
            (low, high) = (low - room, high + room);
        }
        else
        {
            double room = padding * (high - low);
            (low, high) = (low - room, high + room);
        }

        return new ChartAxis(low, high, log, Math.Max(2, ticks));
    }

    /// <summary>The place of a value, 0 at the low end and 1 at the high one.</summary>
    public double Place(double value) => ((Log ? Math.Log10(value) : value) - _low) / (_high - _low);

    private static List<(double Value, string Label)> LinearTicks(double low, double high, int most)
    {
        double raw = (high - low) / most;
        int exponent = (int)Math.Floor(Math.Log10(raw));
        double scaled = raw / Math.Pow(10, exponent);
        int factor = scaled <= 1 ? 1 : scaled <= 2 ? 2 : scaled <= 5 ? 5 : 10;
        if (factor == 10)
        {
            (factor, exponent) = (1, exponent + 1);
        }

        double step = factor * Math.Pow(10, exponent);
        var values = new List<double>();
        const double Rounding = 1e-9;
        double first = Math.Ceiling((low / step) - Rounding), last = Math.Floor((high / step) + Rounding);
        for (double i = first; i <= last && values.Count <= most; i++)
        {
            // A division is exact where a product with 0.1 is not; and there is no negative zero.
            values.Add(i == 0 ? 0 : exponent is < 0 and > -300 ? i * factor / Math.Pow(10, -exponent) : i * step);
        }

        double largest = values.Count == 0 ? 0 : values.Max(Math.Abs);
        bool plain = largest < 1e6 && exponent >= -5;
        return [.. values.Select(v => (v, plain ? v.ToString("F" + Math.Max(0, -exponent), CultureInfo.InvariantCulture) : Scientific(v, exponent)))];
    }

    private List<(double Value, string Label)> LogTicks(int most)
    {
        double[][] mantissas = [[1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 2, 5], [1]];
        int first = (int)Math.Floor(_low), last = (int)Math.Ceiling(_high);
        var values = new List<double>();
        foreach (double[] set in mantissas)
        {
            values = [.. Enumerable.Range(first, last - first + 1).SelectMany(e => set.Select(m => m * Math.Pow(10, e))).Where(InRange)];
            if (values.Count <= most)
            {
                break;
            }
        }

        if (values.Count < 3)
        {
            // Less than a decade: round values, though they do not lie evenly.
            return LinearTicks(Math.Pow(10, _low), Math.Pow(10, _high), most);
        }

        if (values.Count > most)
        {
            int stride = (values.Count + most - 1) / most;
            values = [.. values.Where((_, i) => i % stride == 0)];
        }

        bool plain = values[0] >= 1e-3 && values[^1] < 1e5;
        return [.. values.Select(v => (v, plain ? v.ToString("0.###", CultureInfo.InvariantCulture) : Scientific(v, (int)Math.Floor(Math.Log10(v) + 1e-9))))];
    }

    private bool InRange(double value) => value > 0 && Math.Log10(value) >= _low && Math.Log10(value) <= _high && double.IsFinite(value);

    /// <summary><c>1.5e6</c>, with no more digits than the step of the axis has.</summary>
    private static string Scientific(double value, int stepExponent)
    {
        if (value == 0)
        {
            return "0";
        }

        int exponent = (int)Math.Floor(Math.Log10(Math.Abs(value)) + 1e-9);
        double mantissa = exponent < -300 ? value * 1e300 / Math.Pow(10, exponent + 300) : value / Math.Pow(10, exponent);
        string digits = mantissa.ToString("F" + Math.Clamp(exponent - stepExponent, 0, 15), CultureInfo.InvariantCulture);
        return (digits.Contains('.', StringComparison.Ordinal) ? digits.TrimEnd('0').TrimEnd('.') : digits) + "e" + exponent.ToString(CultureInfo.InvariantCulture);
    }
}
