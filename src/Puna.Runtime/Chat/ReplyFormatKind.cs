namespace Puna.Runtime.Chat;

/// <summary>Kinds of constraints on a reply.</summary>
public enum ReplyFormatKind
{
    /// <summary>Any text.</summary>
    Text,

    /// <summary>Any JSON object.</summary>
    JsonObject,

    /// <summary>JSON by a schema.</summary>
    JsonSchema,

    /// <summary>Text by a regular expression.</summary>
    Regex,

    /// <summary>Text by a grammar in GBNF.</summary>
    Grammar,
}
