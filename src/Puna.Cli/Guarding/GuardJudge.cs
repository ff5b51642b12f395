using System.Text.Json;
using Puna.Text.Chat;

namespace Puna.Cli.Guarding;

/// <summary>A judge of <c>puna guard</c>.</summary>
internal abstract class GuardJudge : IDisposable
{
    /// <summary>Judges the last message of a conversation and writes the members of the answer's object.</summary>
    /// <returns>Whether the message may pass.</returns>
    /// <exception cref="Tensors.PunaException">It cannot be judged; nothing has been written.</exception>
    public abstract bool Write(Utf8JsonWriter json, IReadOnlyList<ChatMessage> conversation, CancellationToken cancel);

    /// <inheritdoc/>
    public virtual void Dispose()
    {
    }

    /// <summary>Writes a list of texts.</summary>
    protected static void WriteTexts(Utf8JsonWriter json, string name, IEnumerable<string> texts)
    {
        json.WriteStartArray(name);
        foreach (string text in texts)
        {
            json.WriteStringValue(text);
        }

        json.WriteEndArray();
    }

    /// <summary>Writes a number that may be none.</summary>
    protected static void WriteNumber(Utf8JsonWriter json, string name, double? value)
    {
        if (value is double number && double.IsFinite(number))
        {
            json.WriteNumber(name, number);
        }
        else
        {
            json.WriteNull(name);
        }
    }
}
