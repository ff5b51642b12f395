using System.Text.Json;

namespace Puna.Training.Data.Altiplano;

/// <summary>The reply has to keep a rule of form.</summary>
/// <param name="rule">The rule.</param>
/// <param name="count">How many, where the rule counts.</param>
/// <param name="list">What the rule speaks of, in lower case where capitals do not matter.</param>
public sealed class FormatCheck(FormatRule rule, int count, IReadOnlyList<string> list) : IReplyCheck
{
    /// <inheritdoc/>
    public string Expected => rule switch
    {
        FormatRule.Lines or FormatRule.Commas or FormatRule.Numbered => $"{rule}: {count} of {string.Join(", ", list)}",
        FormatRule.WordCount => $"{rule}: {count}",
        _ => $"{rule}: {string.Join(" ", list)}",
    };

    /// <summary>The rule.</summary>
    public FormatRule Rule => rule;

    /// <inheritdoc/>
    public bool Accepts(string reply)
    {
        string text = reply.Trim();
        switch (rule)
        {
            case FormatRule.Lines:
                return Things(text.Split('\n'));
            case FormatRule.Commas:
                return !text.Contains('\n', StringComparison.Ordinal) && Things(text.TrimEnd('.').Split(','));
            case FormatRule.Numbered:
                string[] lines = text.Split('\n');
                for (int i = 0; i < lines.Length; i++)
                {
                    string number = English.Digits(i + 1) + ". ";
                    if (!lines[i].StartsWith(number, StringComparison.Ordinal))
                    {
                        return false;
                    }

                    lines[i] = lines[i][number.Length..];
                }

                return Things(lines);
            case FormatRule.WordCount:
                return Words.Of(text).Count == count;
            case FormatRule.Capitals:
                return text == text.ToUpperInvariant() && Words.Contains(text, list[0]);
            case FormatRule.OneWord:
                return Words.Of(text) is [var word] && word == list[0];
            case FormatRule.BeginsWith:
                return text.Length > list[0].Length && text.StartsWith(list[0], StringComparison.Ordinal);
            case FormatRule.EndsWith:
                return text.Length > list[0].Length && text.EndsWith(list[0], StringComparison.Ordinal);
            case FormatRule.Json:
                return IsObject(text);
            default:
                return text == list[0];
        }
    }

    private bool Things(string[] parts)
    {
        var seen = new HashSet<string>();
        foreach (string part in parts)
        {
            string thing = part.Trim().TrimEnd('.').ToLowerInvariant();
            if (!list.Contains(thing) || !seen.Add(thing))
            {
                return false;
            }
        }

        return seen.Count == count;
    }

    private bool IsObject(string text)
    {
        try
        {
            using JsonDocument json = JsonDocument.Parse(text);
            if (json.RootElement.ValueKind != JsonValueKind.Object)
            {
                return false;
            }

            int keys = 0;
            foreach (JsonProperty property in json.RootElement.EnumerateObject())
            {
                if (keys * 2 + 1 >= list.Count || property.Name != list[keys * 2] || property.Value.ToString() != list[(keys * 2) + 1])
                {
                    return false;
                }

                keys++;
            }

            return keys * 2 == list.Count;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return false;
        }
    }
}
