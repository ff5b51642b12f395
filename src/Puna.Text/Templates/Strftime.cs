using System.Globalization;
using System.Text;

namespace Puna.Text.Templates;

/// <summary>Dates by C's <c>strftime</c> in the C locale.</summary>
internal static class Strftime
{
    public static string Format(DateTime time, string format)
    {
        var text = new StringBuilder();
        CultureInfo culture = CultureInfo.InvariantCulture;
        for (int i = 0; i < format.Length; i++)
        {
            if (format[i] != '%' || i + 1 == format.Length)
            {
                text.Append(format[i]);
                continue;
            }

            char c = format[++i];
            bool isBare = c == '-' && i + 1 < format.Length;
            c = isBare ? format[++i] : c;
            string part = c switch
            {
                'a' => time.ToString("ddd", culture),
                'A' => time.ToString("dddd", culture),
                'b' or 'h' => time.ToString("MMM", culture),
                'B' => time.ToString("MMMM", culture),
                'c' => Format(time, "%a %b %e %H:%M:%S %Y"),
                'C' => (time.Year / 100).ToString("00", culture),
                'd' => time.ToString("dd", culture),
                'D' or 'x' => Format(time, "%m/%d/%y"),
                'e' => time.Day.ToString(culture).PadLeft(2),
                'f' => time.ToString("ffffff", culture),
                'F' => time.ToString("yyyy-MM-dd", culture),
                'g' => (ISOWeek.GetYear(time) % 100).ToString("00", culture),
                'G' => ISOWeek.GetYear(time).ToString(culture),
                'H' => time.ToString("HH", culture),
                'I' => time.ToString("hh", culture),
                'j' => time.DayOfYear.ToString("000", culture),
                'k' => time.Hour.ToString(culture).PadLeft(2),
                'l' => time.ToString("%h", culture).PadLeft(2),
                'm' => time.ToString("MM", culture),
                'M' => time.ToString("mm", culture),
                'n' => "\n",
                'p' => time.Hour < 12 ? "AM" : "PM",
                'P' => time.Hour < 12 ? "am" : "pm",
                'r' => Format(time, "%I:%M:%S %p"),
                'R' => time.ToString("HH:mm", culture),
                's' => ((long)(time - DateTime.UnixEpoch).TotalSeconds).ToString(culture),
                'S' => time.ToString("ss", culture),
                't' => "\t",
                'T' or 'X' => time.ToString("HH:mm:ss", culture),
                'u' => (time.DayOfWeek == DayOfWeek.Sunday ? 7 : (int)time.DayOfWeek).ToString(culture),
                'U' => ((time.DayOfYear + 6 - (int)time.DayOfWeek) / 7).ToString("00", culture),
                'V' => ISOWeek.GetWeekOfYear(time).ToString("00", culture),
                'w' => ((int)time.DayOfWeek).ToString(culture),
                'W' => ((time.DayOfYear + 6 - (((int)time.DayOfWeek + 6) % 7)) / 7).ToString("00", culture),
                'y' => (time.Year % 100).ToString("00", culture),
                'Y' => time.Year.ToString(culture),
                'z' or 'Z' => "",
                '%' => "%",
                _ => "%" + (isBare ? "-" : "") + c,
            };
            text.Append(isBare ? part.TrimStart('0', ' ') is { Length: > 0 } bare ? bare : "0" : part);
        }

        return text.ToString();
    }
}
