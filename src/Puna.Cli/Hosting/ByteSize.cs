using System.Globalization;

namespace Puna.Cli.Hosting;

/// <summary>Sizes for people, in powers of ten as disks and networks are sold.</summary>
internal static class ByteSize
{
    private static readonly string[] Units = ["bytes", "kB", "MB", "GB", "TB", "PB"];

    /// <summary>For example <c>3.65 MB</c>: three digits.</summary>
    public static string Format(long bytes)
    {
        double value = bytes;
        int unit = 0;
        while (value >= 999.5 && unit < Units.Length - 1)
        {
            value /= 1000;
            unit++;
        }

        string digits = unit == 0 || value >= 99.95 ? "F0" : value >= 9.995 ? "F1" : "F2";
        return value.ToString(digits, CultureInfo.InvariantCulture) + " " + Units[unit];
    }
}
