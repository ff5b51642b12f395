using System.Security.Cryptography;

namespace Puna.Text.Tools;

/// <summary>A call of a tool.</summary>
/// <param name="Name">The tool.</param>
/// <param name="Arguments">A JSON object, without white space between its parts; of a reply that was cut short, as much of it as there was.</param>
public sealed record ToolCall(string Name, string Arguments)
{
    private const string Letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    /// <summary>Identifies the call in its conversation, so that a tool's answer can name it; empty where nobody asked.</summary>
    public string Id { get; init; } = "";

    /// <summary>An id that nobody can guess: <c>call_</c> and 24 letters and digits.</summary>
    public static string NewId() => "call_" + RandomNumberGenerator.GetString(Letters, 24);
}
