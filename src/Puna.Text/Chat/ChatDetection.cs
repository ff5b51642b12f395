namespace Puna.Text.Chat;

/// <summary>What has been found out about a model's chat format: a format, none, or one that is not known here.</summary>
/// <param name="Format">The format, or null.</param>
/// <param name="UnknownName">The name of the format where the model has one that is not known here, otherwise null.</param>
/// <param name="Explanation">One sentence for the user.</param>
public sealed record ChatDetection(ChatFormat? Format, string? UnknownName, string Explanation)
{
    /// <summary>Whether the model was made for conversation, be its format known or not.</summary>
    public bool IsInstructionModel => Format is not null || UnknownName is not null;

    internal static ChatDetection Known(ChatFormat format) => new(format, null, $"chat format: {format.Name}");

    internal static ChatDetection Unknown(string name) => new(null, name, $"the model has a chat format that is not known here ({name}); it can continue plain text");

    internal static ChatDetection None(bool hasChatTokens) => new(null, null, hasChatTokens
        ? "the model has no chat format: it continues plain text (base models of Llama 3 have the chat tokens in their vocabulary too)"
        : "the model has no chat format: it continues plain text");
}
