namespace Puna.Runtime.Chat;

/// <summary>What a reply has to look like.</summary>
/// <param name="Kind">The kind of constraint.</param>
/// <param name="Definition">The JSON schema, regular expression or grammar; null where the kind needs none.</param>
public sealed record ReplyFormat(ReplyFormatKind Kind, string? Definition = null)
{
    /// <summary>Any text.</summary>
    public static ReplyFormat Text { get; } = new(ReplyFormatKind.Text);

    /// <summary>Any JSON object.</summary>
    public static ReplyFormat JsonObject { get; } = new(ReplyFormatKind.JsonObject);
}
