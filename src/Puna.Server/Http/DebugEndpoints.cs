using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Puna.Server.OpenAI;
using Puna.Text;

namespace Puna.Server.Http;

/// <summary>What a prompt looks like to the model: tokens of a text, text of tokens, and a conversation laid out.</summary>
internal sealed class DebugEndpoints(ModelHost host)
{
    /// <summary>Adds the endpoints.</summary>
    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPost("/tokenize", TokenizeAsync).WithName("tokenize");
        routes.MapPost("/detokenize", DetokenizeAsync).WithName("detokenize");
        routes.MapPost("/apply-template", TemplateAsync).WithName("applyTemplate");
    }

    private async Task TokenizeAsync(HttpContext http)
    {
        using JsonDocument document = await JsonBody.ReadAsync(http);
        var body = new RequestObject(document.RootElement);
        string text = body.String("content") ?? body.RequireString("prompt");
        int[] ids = body.Bool("add_special") ?? body.Bool("add_special_tokens") ?? false ? host.Model.Tokenizer.EncodePrompt(text) : host.Model.Tokenizer.Encode(text, SpecialTokens.None);
        await JsonBody.WriteAsync(http, new JsonObject { ["tokens"] = new JsonArray([.. ids.Select(static id => (JsonNode)id)]), ["count"] = ids.Length, ["max_model_len"] = host.Model.Engine.ContextLength });
    }

    private async Task DetokenizeAsync(HttpContext http)
    {
        using JsonDocument document = await JsonBody.ReadAsync(http);
        var body = new RequestObject(document.RootElement);
        string text = body.Array("tokens") is { Count: 0 } ? "" : host.Model.Tokenizer.Decode(PromptFields.Read(body, "tokens", host.Model.Tokenizer, 1)[0]);
        await JsonBody.WriteAsync(http, new JsonObject { ["content"] = text, ["prompt"] = text });
    }

    private async Task TemplateAsync(HttpContext http)
    {
        using JsonDocument document = await JsonBody.ReadAsync(http);
        var body = new RequestObject(document.RootElement);
        await JsonBody.WriteAsync(http, new JsonObject { ["prompt"] = host.RequireChat().Render(OpenAIEndpoints.Read(http, body, host.Model)) });
    }
}
