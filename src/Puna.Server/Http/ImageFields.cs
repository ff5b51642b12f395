using System.Text.Json;
using Puna.Text.Chat;

namespace Puna.Server.Http;

/// <summary>Reads pictures of requests: they come with the request, as base64, and are looked at by the engine. Nothing is fetched from anywhere.</summary>
internal static class ImageFields
{
    /// <summary>The code of errors about pictures.</summary>
    public const string Code = "invalid_image";

    /// <summary>A picture in a part of OpenAI's messages: <c>image_url</c> or <c>input_image</c>.</summary>
    /// <param name="part">The part.</param>
    /// <param name="at">Where it stands in the message's text.</param>
    /// <param name="model">The model.</param>
    public static ChatImage OfPart(RequestObject part, int at, ServedModel model)
    {
        RequireSight(part.Path, model);
        if (part.Has("file_id"))
        {
            throw ApiException.Unsupported(part.At("file_id"), $"{part.At("file_id")}: expected none: this server keeps no files");
        }

        // Chat completions wrap the URL, responses do not.
        RequestObject holder = part.Find("image_url") is { ValueKind: JsonValueKind.Object } ? part.Object("image_url")!.Value : part;
        string name = holder.Path == part.Path ? "image_url" : "url";
        if (holder.String("detail") is { } detail && detail is not ("auto" or "low" or "high"))
        {
            throw ApiException.Bad(holder.At("detail"), $"{holder.At("detail")}: expected auto, low or high, got {Tensors.PunaException.OneLine(detail)}");
        }

        return new ChatImage { At = at, Data = OfUrl(holder.At(name), holder.RequireString(name), model) };
    }

    /// <summary>A picture in an <c>image</c> block of Anthropic's messages.</summary>
    /// <param name="block">The block.</param>
    /// <param name="at">Where it stands in the message's text.</param>
    /// <param name="model">The model.</param>
    public static ChatImage OfBlock(RequestObject block, int at, ServedModel model)
    {
        RequireSight(block.Path, model);
        RequestObject source = block.Object("source") ?? throw block.Missing("source");
        string type = source.RequireString("type");
        if (type != "base64")
        {
            throw ApiException.Bad(source.At("type"), $"{source.At("type")}: expected base64, got {Tensors.PunaException.OneLine(type)}: this server fetches nothing and keeps no files", Code);
        }

        CheckType(source.At("media_type"), source.RequireString("media_type"));
        return new ChatImage { At = at, Data = OfBase64(source.At("data"), source.RequireString("data"), model) };
    }

    /// <summary>The pictures of Ollama's <c>images</c>, which stand before the text.</summary>
    /// <param name="holder">A message, or a request with a prompt.</param>
    /// <param name="model">The model.</param>
    public static IReadOnlyList<ChatImage> OfList(RequestObject holder, ServedModel model)
    {
        if (holder.Array("images") is not { Count: > 0 } items)
        {
            return [];
        }

        RequireSight(holder.At("images"), model);
        var images = new ChatImage[items.Count];
        for (int i = 0; i < images.Length; i++)
        {
            string path = $"{holder.At("images")}[{i}]";
            images[i] = items[i].ValueKind == JsonValueKind.String
                ? new ChatImage { Data = OfBase64(path, items[i].GetString()!, model) }
                : throw ApiException.Bad(path, $"{path}: expected a picture as base64, got {RequestObject.Kind(items[i])}", Code);
        }

        return images;
    }

    private static void RequireSight(string path, ServedModel model)
    {
        if (model.Chat?.SeesImages != true)
        {
            throw ApiException.Unsupported(path, $"{path}: expected text alone, got a picture, which {model.Name} does not see");
        }
    }

    private static byte[] OfUrl(string path, string url, ServedModel model)
    {
        int comma = url.IndexOf(',', StringComparison.Ordinal);
        if (!url.StartsWith("data:", StringComparison.OrdinalIgnoreCase) || comma < 0)
        {
            string got = url.StartsWith("http:", StringComparison.OrdinalIgnoreCase) || url.StartsWith("https:", StringComparison.OrdinalIgnoreCase)
                ? "one of the web, and this server fetches nothing" : "another one";
            throw ApiException.Bad(path, $"{path}: expected a data: URL, got {got}", Code);
        }

        string[] head = url[5..comma].Split(';');
        CheckType(path, head[0]);
        return head.Length > 1 && head[^1].Trim().Equals("base64", StringComparison.OrdinalIgnoreCase)
            ? OfBase64(path, url.AsSpan(comma + 1).Contains('%') ? Uri.UnescapeDataString(url[(comma + 1)..]) : url[(comma + 1)..], model)
            : throw ApiException.Bad(path, $"{path}: expected a data: URL in base64, got another one", Code);
    }

    private static void CheckType(string path, string type)
    {
        // image/jpg is no registered type, and widely sent.
        if (type.Trim().ToLowerInvariant() is not ("image/png" or "image/jpeg" or "image/jpg" or "image/webp" or "image/gif"))
        {
            string shown = Tensors.PunaException.OneLine(type.Length > 60 ? type[..60] + "..." : type);
            throw ApiException.Bad(path, $"{path}: expected image/png, image/jpeg, image/webp or image/gif, got {(shown.Length == 0 ? "no type" : shown)}", Code);
        }
    }

    private static byte[] OfBase64(string path, string text, ServedModel model)
    {
        long most = model.Engine.Options.ImageLimits.MaxBytes;
        if (text.Length / 4 * 3L > most + 3)
        {
            throw ApiException.Bad(path, $"{path}: expected a picture of at most {most} bytes, got about {text.Length / 4 * 3L}", Code);
        }

        try
        {
            byte[] bytes = Convert.FromBase64String(text);
            return bytes.Length > 0 ? bytes : throw ApiException.Bad(path, $"{path}: expected a picture, got no bytes", Code);
        }
        catch (FormatException)
        {
            throw ApiException.Bad(path, $"{path}: expected base64, got something else", Code);
        }
    }
}
