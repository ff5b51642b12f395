using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Puna.Server.Http;

namespace Puna.Server.Batches;

/// <summary>A line of a batch: <c>{"custom_id", "method": "POST", "url", "body": {...}}</c>, or what is wrong with it.</summary>
/// <param name="Line">Its number in the input, from 1.</param>
/// <param name="CustomId">What its answer is known by, or null where it has none.</param>
/// <param name="Url">The endpoint.</param>
/// <param name="Body">The request as JSON.</param>
/// <param name="Error">What is wrong with the line, or null.</param>
internal sealed record BatchRequest(long Line, string? CustomId, string Url, byte[] Body, ApiException? Error)
{
    // The body of a line may be as deep as that of a request.
    private static readonly JsonDocumentOptions Reading = new() { MaxDepth = JsonBody.Depth + 1 };

    /// <summary>Tells the line from every other of its batch: by its custom_id, or by its number where it has none.</summary>
    public UInt128 Key => CustomId is null ? KeyOf(Line) : KeyOf(CustomId);

    /// <summary>The key of a line with a custom_id.</summary>
    public static UInt128 KeyOf(string customId) => Hash("id " + customId);

    /// <summary>The key of a line without one.</summary>
    public static UInt128 KeyOf(long line) => Hash(FormattableString.Invariant($"line {line}"));

    /// <summary>Reads a line.</summary>
    /// <param name="line">Its number.</param>
    /// <param name="text">Its bytes.</param>
    /// <param name="isTooLong">Whether it is longer than it may be.</param>
    /// <param name="most">How long it may be.</param>
    /// <param name="urls">The endpoints there are.</param>
    public static BatchRequest Read(long line, ReadOnlyMemory<byte> text, bool isTooLong, int most, IReadOnlyCollection<string> urls)
    {
        string? id = null;
        try
        {
            if (isTooLong)
            {
                throw new ApiException(413, "invalid_request_error", "request_too_large", $"line: expected at most {most} bytes, got more");
            }

            using JsonDocument document = Parse(text);
            WellFormed.Check(text.Span, document.RootElement);
            if (document.RootElement.ValueKind != JsonValueKind.Object)
            {
                throw new ApiException(400, "invalid_request_error", "invalid_json", $"line: expected a JSON object, got {RequestObject.Kind(document.RootElement)}");
            }

            var members = new RequestObject(document.RootElement);
            id = members.RequireString("custom_id") is { Length: > 0 } given ? given : throw ApiException.Bad("custom_id", "custom_id: expected text, got none");
            if (members.RequireString("method") is not "POST" and string method)
            {
                throw ApiException.Bad("method", $"method: expected POST, got {Tensors.PunaException.OneLine(method)}");
            }

            string url = members.RequireString("url");
            if (!urls.Contains(url))
            {
                throw ApiException.Bad("url", $"url: expected one of {string.Join(", ", urls)}, got {Tensors.PunaException.OneLine(url)}", "invalid_url");
            }

            RequestObject body = members.Object("body") ?? throw members.Missing("body");
            if (body.Find("stream") is { ValueKind: JsonValueKind.True })
            {
                throw ApiException.Unsupported("body.stream", "body.stream: expected false, since an answer is one line, got true");
            }

            return new BatchRequest(line, id, url, Encoding.UTF8.GetBytes(body.Element.GetRawText()), null);
        }
        catch (ApiException e)
        {
            return new BatchRequest(line, id, "", [], e);
        }
    }

    private static JsonDocument Parse(ReadOnlyMemory<byte> text)
    {
        try
        {
            return JsonDocument.Parse(text, Reading);
        }
        catch (JsonException e)
        {
            throw new ApiException(400, "invalid_request_error", "invalid_json", $"line: expected JSON, got something else: {Tensors.PunaException.OneLine(e.Message)}");
        }
    }

    private static UInt128 Hash(string text) => BinaryPrimitives.ReadUInt128LittleEndian(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
