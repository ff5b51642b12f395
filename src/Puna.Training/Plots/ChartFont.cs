namespace Puna.Training.Plots;

/// <summary>
/// A font of 5 x 9 dots for the printable ASCII characters. Dots that touch are joined by strokes, so that letters are smooth at any size; letters are as wide as their dots are.
/// </summary>
internal static class ChartFont
{
    private const int Columns = 5;
    private const int Rows = 9;
    private const int BaseRow = 6;
    private const double Gap = 2;
    private const double Space = 3;

    /// <summary>Height of a dot over the font size: capitals are six dots from top to bottom.</summary>
    private const double DotHeight = 0.118;
    private const double DotWidth = 0.104;

    /// <summary>A hollow box, for characters that the font does not have.</summary>
    private const ulong Unknown = 0x7E318C63F;

    /// <summary>From '!' on: bit (row * 5 + column) of each glyph, rows 7 and 8 below the base line.</summary>
    private static readonly ulong[] s_glyphs =
    [
        0x000100421084, 0x00000000014A, 0x000015F57D40, 0x00011F4717C4, 0x000632222263, 0x000593511526, // ! " # $ % &
        0x000000000084, 0x000208210888, 0x000088842082, 0x00002AE23AA0, 0x0000084F9080, 0x022100000000, // ' ( ) * + ,
        0x000000070000, 0x000100000000, 0x000042222210, 0x0003A318C62E, 0x0007C84214C4, 0x0007C444422E, // - . / 0 1 2
        0x0003A306422E, 0x000211F4A988, 0x0003A3083C3F, 0x0003A317844C, 0x00010844221F, 0x0003A317462E, // 3 4 5 6 7 8
        0x0001910F462E, 0x000100001000, 0x022100001000, 0x000010411100, 0x000001F07C00, 0x000004441040, // 9 : ; < = >
        0x00010044422E, 0x000383DAF62E, 0x000463F8C544, 0x0003E317C62F, 0x0003A210862E, 0x0003E318C62F, // ? @ A B C D
        0x0007C217843F, 0x00004217843F, 0x0003A31C862E, 0x0004631FC631, 0x00038842108E, 0x0003A3084210, // E F G H I J
        0x000452519531, 0x0007C2108421, 0x0004631AD771, 0x0004639ACE31, 0x0003A318C62E, 0x00004217C62F, // K L M N O P
        0x00059358C62E, 0x00045257C62F, 0x0003A307062E, 0x00010842109F, 0x0003A318C631, 0x00011518C631, // Q R S T U V
        0x0004775AC631, 0x000462A22A31, 0x000108422A31, 0x0007C222221F, 0x000184210846, 0x000420820821, // W X Y Z [ \
        0x00031084210C, 0x000000004544, 0x00F800000000, 0x000000000082, 0x0007A3E83800, 0x0003E318BC21, // ] ^ _ ` a b
        0x0003A218B800, 0x0007A318FA10, 0x000383F8B800, 0x000084213C4C, 0x0E87A318F800, 0x00046318BC21, // c d e f g h
        0x000108421004, 0x064210842008, 0x00024A32A421, 0x000108421084, 0x00056B5AAC00, 0x00046318BC00, // i j k l m n
        0x0003A318B800, 0x010BE318BC00, 0x1087A318F800, 0x00004211B400, 0x0003E0E0F800, 0x000304213C40, // o p q r s t
        0x0007A318C400, 0x00011518C400, 0x0002AB58C400, 0x000454454400, 0x0E87A318C400, 0x0007C4447C00, // u v w x y z
        0x000208411088, 0x000108421084, 0x000088441082, 0x0000008A8800, // { | } ~
    ];

    /// <summary>The width of a text.</summary>
    public static double Measure(string text, double size)
    {
        double width = 0;
        foreach (char c in text)
        {
            width += Advance(c);
        }

        return Math.Max(0, width - Gap) * DotWidth * size;
    }

    /// <summary>The text, cut and ended with dots where it is wider than there is room.</summary>
    public static string Shorten(string text, double size, double room)
    {
        if (Measure(text, size) <= room)
        {
            return text;
        }

        int length = text.Length;
        while (length > 0 && Measure(text[..length] + "...", size) > room)
        {
            length--;
        }

        // Not between the halves of a character outside the basic plane.
        return text[..(length > 0 && char.IsHighSurrogate(text[length - 1]) ? length - 1 : length)] + "...";
    }

    /// <summary>The strokes of a text that begins at (0, 0) on its base line; a stroke of no length is a dot.</summary>
    public static IEnumerable<(ChartPoint From, ChartPoint To)> Strokes(string text, double size)
    {
        double pen = 0;
        foreach (char c in text)
        {
            ulong glyph = Glyph(c);
            int left = Left(glyph);
            for (int row = 0; row < Rows; row++)
            {
                for (int column = 0; column < Columns; column++)
                {
                    if (!Dot(glyph, row, column))
                    {
                        continue;
                    }

                    ChartPoint here = At(row, column);
                    bool right = Dot(glyph, row, column + 1), down = Dot(glyph, row + 1, column);
                    bool downRight = Dot(glyph, row + 1, column + 1) && !right && !down;
                    bool downLeft = Dot(glyph, row + 1, column - 1) && !Dot(glyph, row, column - 1) && !down;
                    yield return (here, right ? At(row, column + 1) : here);
                    yield return (here, down ? At(row + 1, column) : here);
                    yield return (here, downRight ? At(row + 1, column + 1) : here);
                    yield return (here, downLeft ? At(row + 1, column - 1) : here);
                }
            }

            pen += Advance(c);

            ChartPoint At(int row, int column) => new((pen + column - left) * DotWidth * size, (row - BaseRow) * DotHeight * size);
        }
    }

    private static ulong Glyph(char c) => c switch
    {
        ' ' => 0,
        > ' ' and <= '~' => s_glyphs[c - '!'],
        '\u2013' or '\u2212' => s_glyphs['-' - '!'],
        '\u00D7' => s_glyphs['x' - '!'],
        _ => Unknown,
    };

    private static double Advance(char c) => Glyph(c) is var glyph && glyph == 0 ? Space : Right(glyph) - Left(glyph) + Gap;

    private static bool Dot(ulong glyph, int row, int column) => row is >= 0 and < Rows && column is >= 0 and < Columns && (glyph >> ((row * Columns) + column) & 1) != 0;

    private static int Left(ulong glyph) => Enumerable.Range(0, Columns).FirstOrDefault(c => Used(glyph, c));

    private static int Right(ulong glyph) => Enumerable.Range(0, Columns).LastOrDefault(c => Used(glyph, c));

    private static bool Used(ulong glyph, int column) => Enumerable.Range(0, Rows).Any(r => Dot(glyph, r, column));
}
