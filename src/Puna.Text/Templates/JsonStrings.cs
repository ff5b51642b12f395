using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Puna.Text.Templates;

/// <summary>Strings of JSON, those included that escape half a surrogate pair: Python writes them, and the base library refuses to read them.</summary>
public static class JsonStrings
{
    /// <summary>The value of a string; half a surrogate pair becomes U+FFFD.</summary>
    public static string Read(JsonElement text)
    {
        try
        {
            return text.GetString()!;
        }
        catch (InvalidOperationException)
        {
            return Unescape(text.GetRawText().AsSpan(1..^1));
        }
    }

    /// <summary>The name of a property.</summary>
    public static string Name(JsonProperty property)
    {
        try
        {
            return property.Name;
        }
        catch (InvalidOperationException)
        {
            // The property's text begins with its name.
            string raw = property.ToString();
            int end = 1;
            while (raw[end] != '"')
                end += raw[end] == '\\' ? 2 : 1;
            return Unescape(raw.AsSpan(1..end));
        }
    }

    // The text has been parsed, so every escape is complete and valid on its own.
    private static string Unescape(ReadOnlySpan<char> raw)
    {
        var result = new StringBuilder(raw.Length);
        for (int i = 0; i < raw.Length; i++)
        {
            if (raw[i] != '\\')
            {
                result.Append(raw[i]);
                continue;
            }

            char escape = raw[++i];
            result.Append(escape switch
            {
                'b' => '\b',
                'f' => '\f',
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                'u' => (char)ushort.Parse(raw.Slice(i + 1, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture),
                _ => escape,
            });
            i += escape == 'u' ? 4 : 0;
        }

        // Through UTF-8 and back, halves of pairs become U+FFFD.
        return Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(result.ToString()));
    }
}
