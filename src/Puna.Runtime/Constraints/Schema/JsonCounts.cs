using System.Globalization;
using System.Text.Json;
using Puna.Tensors;

namespace Puna.Runtime.Constraints.Schema;

/// <summary>Reads keywords that count: minItems and the like.</summary>
internal static class JsonCounts
{
    /// <summary>The count, or null where the keyword is absent. 3.0 is 3.</summary>
    public static int? Read(JsonElement schema, string keyword, string where)
    {
        if (!schema.TryGetProperty(keyword, out JsonElement value))
        {
            return null;
        }

        return value.ValueKind == JsonValueKind.Number && value.TryGetDecimal(out decimal count) && count >= 0 && count <= int.MaxValue / 2 && count == decimal.Truncate(count)
            ? (int)count
            : throw new PunaException(string.Create(CultureInfo.InvariantCulture, $"{keyword}: expected a count of at most {int.MaxValue / 2}, got {value.GetRawText()} ({where})"));
    }
}
