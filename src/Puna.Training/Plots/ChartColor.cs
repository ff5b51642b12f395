namespace Puna.Training.Plots;

/// <summary>A colour of 24 bits.</summary>
internal readonly record struct ChartColor(byte R, byte G, byte B)
{
    public static readonly ChartColor White = new(255, 255, 255);
    public static readonly ChartColor Text = new(38, 38, 38);
    public static readonly ChartColor Grid = new(226, 226, 226);
    public static readonly ChartColor Frame = new(128, 128, 128);

    /// <summary>
    /// Colours that people with any common colour blindness tell apart, without the yellow one, which is faint on white (Okabe and Ito, Color Universal Design, 2008).
    /// </summary>
    private static readonly ChartColor[] s_series =
        [new(0, 114, 178), new(213, 94, 0), new(0, 158, 115), new(204, 121, 167), new(230, 159, 0), new(86, 180, 233), new(0, 0, 0)];

    /// <summary>The colour of a series; colours come round again after seven.</summary>
    public static ChartColor OfSeries(int index) => s_series[index % s_series.Length];

    /// <summary><c>#rrggbb</c>.</summary>
    public string Hex => $"#{R:x2}{G:x2}{B:x2}";
}
