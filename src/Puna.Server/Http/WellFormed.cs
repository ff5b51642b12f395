using System.Text.Json;
using System.Text.Unicode;

namespace Puna.Server.Http;

/// <summary>
/// Checks once that every name and text of a body is Unicode. JSON allows half a surrogate pair in escapes, and its reader looks at the bytes of a text only when it is asked for: without this
/// check any endpoint that copies a member or looks through names would find out too late.
/// </summary>
internal static class WellFormed
{
    /// <summary>Throws where a text of a body is none.</summary>
    /// <param name="body">The body as it came.</param>
    /// <param name="root">The same, parsed.</param>
    public static void Check(ReadOnlySpan<byte> body, JsonElement root)
    {
        if (!Utf8.IsValid(body))
        {
            throw new ApiException(400, "invalid_request_error", "invalid_json", "body: expected JSON in UTF-8, got other bytes");
        }

        // Surrogates are written as \ud800 to \udfff; nearly no body has them.
        if (body.IndexOf("\\ud"u8) >= 0 || body.IndexOf("\\uD"u8) >= 0)
        {
            Walk(root, "");
        }
    }

    private static void Walk(JsonElement element, string path)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                foreach (JsonProperty member in element.EnumerateObject())
                {
                    string name;
                    try
                    {
                        name = member.Name;
                    }
                    catch (InvalidOperationException)
                    {
                        throw Broken(path.Length == 0 ? "body" : path, "a name with ");
                    }

                    Walk(member.Value, path.Length == 0 ? name : $"{path}.{name}");
                }

                break;
            case JsonValueKind.Array:
                int i = 0;
                foreach (JsonElement item in element.EnumerateArray())
                {
                    Walk(item, $"{path}[{i++}]");
                }

                break;
            case JsonValueKind.String:
                try
                {
                    element.GetString();
                }
                catch (InvalidOperationException)
                {
                    throw Broken(path, "");
                }

                break;
        }
    }

    private static ApiException Broken(string where, string what) => ApiException.Bad(where, $"{where}: expected well-formed Unicode, got {what}half a surrogate pair");
}
