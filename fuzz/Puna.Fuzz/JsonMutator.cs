using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Puna.Fuzz;

/// <summary>Changes JSON token by token, so that most results are still JSON: other numbers, names, kinds and nesting.</summary>
public static class JsonMutator
{
    private static readonly string[] _values =
    [
        "0", "-1", "1", "-0", "1.0", "1e3", "1E400", "4294967296", "9223372036854775807", "9223372036854775808", "18446744073709551615", "18446744073709551616",
        "0.1", "null", "true", "false", "\"\"", "\"x\"", "\"\\u0000\"", "\"\\ud800\"", "\"\\udc00\\ud800\"", "\"\\ud83e\\udd99\"", "\"../x\"", "\"\\r\\n\"", "[]", "{}", "[[]]", "{\"a\":{}}",
        "[0,0]", "[1,2,3,4,5,6,7,8,9]",
    ];

    private static readonly string[] _noise = [",", ":", "{", "}", "[", "]", "\"", " ", "\n", "/**/", "//x\n", "\uFEFF", "\0", "NaN", "Infinity", "0x10", "01", "\\"];

    /// <summary>A changed copy of <paramref name="json"/>, one to four changes away; text that is no JSON any more is changed by bytes.</summary>
    public static byte[] Mutate(FuzzRandom random, byte[] json)
    {
        byte[] text = json;
        for (int changes = random.Changes(4); changes > 0; changes--)
        {
            List<Range> tokens = Tokens(text);
            text = tokens.Count > 0 ? Change(random, text, tokens) : ByteMutator.Mutate(random, text, [json]);
        }

        return text;
    }

    private static byte[] Change(FuzzRandom random, byte[] text, List<Range> tokens)
    {
        int index = random.Below(tokens.Count);
        for (int again = 4; again > 0 && !IsValue(text.AsSpan(tokens[index])); again--)
        {
            index = random.Below(tokens.Count); // brackets are less worth changing
        }

        Range token = tokens[index];
        ReadOnlySpan<byte> before = text.AsSpan(..token.Start);
        ReadOnlySpan<byte> here = text.AsSpan(token);
        ReadOnlySpan<byte> after = text.AsSpan(token.End..);
        switch (random.Below(14))
        {
            case 0 or 1 or > 9 when IsValue(here):
                return [.. before, .. Encoding.UTF8.GetBytes(random.Pick<string>(_values)), .. after];
            case 2 or 3 when here.Length > 0 && char.IsAsciiDigit((char)here[0]):
                return [.. before, .. Number(random, here), .. after];
            case 4 when IsValue(here):
                return [.. before, .. text.AsSpan(tokens[random.Below(tokens.Count)]), .. after]; // the same as another
            case 5 when random.OneIn(4):
                return [.. before, .. after];
            case 6 when IsValue(here):
                return [.. before, .. here, (byte)',', .. here, .. after];
            case 7:
                return Repeat(random, text, tokens, index);
            case 8 when IsValue(here):
                int depth = random.Pick(1, 3, 70, 2000);
                bool closed = !random.OneIn(4);
                return [.. before, .. Enumerable.Repeat((byte)'[', depth), .. here, .. Enumerable.Repeat((byte)']', closed ? depth : 0), .. after];
            default:
                if (random.OneIn(2) && here.Length > 2)
                {
                    byte[] damaged = [.. here];
                    damaged[1 + random.Below(damaged.Length - 2)] = random.Pick<byte>(0xFF, 0xC0, 0xED, 0x80, 0x00, 0x1F, (byte)'\\');
                    return [.. before, .. damaged, .. after];
                }

                return [.. before, .. Encoding.UTF8.GetBytes(random.Pick<string>(_noise)), .. here, .. after];
        }
    }

    private static bool IsValue(ReadOnlySpan<byte> token) => token.IndexOfAny("{}[]"u8) != 0;

    /// <summary>Puts the text from this token to a later one in twice, with a comma between: a member or element again.</summary>
    private static byte[] Repeat(FuzzRandom random, byte[] text, List<Range> tokens, int index)
    {
        int last = Math.Min(tokens.Count - 1, index + random.Below(16));
        ReadOnlySpan<byte> piece = text.AsSpan(tokens[index].Start.Value..tokens[last].End.Value);
        return [.. text.AsSpan(..tokens[index].Start), .. piece, (byte)',', .. piece, .. text.AsSpan(tokens[last].End..)];
    }

    private static byte[] Number(FuzzRandom random, ReadOnlySpan<byte> here)
    {
        ulong near = ulong.TryParse(here, NumberStyles.None, CultureInfo.InvariantCulture, out ulong value) ? value : 0;
        return Encoding.ASCII.GetBytes(random.Interesting(near).ToString(CultureInfo.InvariantCulture));
    }

    private static List<Range> Tokens(byte[] text)
    {
        var tokens = new List<Range>();
        var reader = new Utf8JsonReader(text, new JsonReaderOptions { MaxDepth = 1000 });
        try
        {
            while (reader.Read())
            {
                tokens.Add((int)reader.TokenStartIndex..(int)reader.BytesConsumed);
                if (reader.TokenType == JsonTokenType.PropertyName)
                {
                    // The colon is consumed with the name; leave it where it is.
                    int start = (int)reader.TokenStartIndex;
                    tokens[^1] = start..(start + reader.ValueSpan.Length + 2);
                }
            }
        }
        catch (JsonException)
        {
            // Only the part before the damage is changed.
        }

        return tokens;
    }
}
