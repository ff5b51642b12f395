using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Puna.Text.Chat;
using Puna.Training.Data.Altiplano;

namespace Puna.Training.Recipes;

/// <summary>Writes stories, conversations and pictures as lines of JSON.</summary>
internal sealed class AltiplanoLines
{
    private readonly ArrayBufferWriter<byte> _buffer = new();
    private readonly Utf8JsonWriter _json;

    public AltiplanoLines() => _json = new Utf8JsonWriter(_buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });

    /// <summary>A story: <c>index, plot, text, hero, facts, questions</c>.</summary>
    public void Story(Stream output, AltiplanoStory story)
    {
        _json.WriteStartObject();
        _json.WriteNumber("index", story.Index);
        _json.WriteString("plot", story.Plot);
        _json.WriteString("text", story.Text);
        _json.WriteString("hero", story.Hero);
        _json.WriteStartArray("facts");
        foreach (AltiplanoFact fact in story.Facts)
        {
            _json.WriteStartObject();
            Fact(fact);
            _json.WriteEndObject();
        }

        _json.WriteEndArray();
        Questions(story.Questions);
        End(output);
    }

    /// <summary>A conversation: <c>index, kind, messages, checks</c>.</summary>
    public void Chat(Stream output, AltiplanoConversation chat)
    {
        _json.WriteStartObject();
        _json.WriteNumber("index", chat.Index);
        _json.WriteString("kind", Lower(chat.Kind));
        _json.WriteStartArray("messages");
        foreach (ChatMessage message in chat.Messages)
        {
            _json.WriteStartObject();
            _json.WriteString("role", message.Role == ChatRole.Tool ? "ipython" : Lower(message.Role));
            _json.WriteString("content", message.Content);
            if (message.AwaitsTool)
            {
                _json.WriteBoolean("awaits_tool", true);
            }

            _json.WriteEndObject();
        }

        _json.WriteEndArray();
        _json.WriteStartArray("checks");
        foreach (TurnCheck check in chat.Checks)
        {
            _json.WriteStartObject();
            _json.WriteNumber("message", check.Message);
            _json.WriteString("expected", check.Check.Expected);
            _json.WriteEndObject();
        }

        _json.WriteEndArray();
        End(output);
    }

    /// <summary>A picture without its pixels: <c>index, file, caption, objects, questions</c>.</summary>
    public void Picture(Stream output, AltiplanoPicture picture, string file)
    {
        _json.WriteStartObject();
        _json.WriteNumber("index", picture.Index);
        _json.WriteString("file", file);
        _json.WriteString("caption", picture.Caption);
        _json.WriteStartArray("objects");
        foreach (PictureObject thing in picture.Objects)
        {
            _json.WriteStartObject();
            _json.WriteString("kind", thing.Kind);
            _json.WriteString("colour", thing.Colour);
            _json.WriteString("where", thing.Where);
            _json.WriteNumber("left", thing.Left);
            _json.WriteNumber("top", thing.Top);
            _json.WriteNumber("width", thing.Width);
            _json.WriteNumber("height", thing.Height);
            _json.WriteEndObject();
        }

        _json.WriteEndArray();
        Questions(picture.Questions);
        End(output);
    }

    private static string Lower<T>(T value)
        where T : struct, Enum => value.ToString().ToLowerInvariant();

    private void Questions(IReadOnlyList<AltiplanoQuestion> questions)
    {
        _json.WriteStartArray("questions");
        foreach (AltiplanoQuestion question in questions)
        {
            _json.WriteStartObject();
            _json.WriteString("question", question.Text);
            _json.WriteString("answer", question.Answer);
            _json.WriteString("asks", Lower(question.Kind));
            Fact(question.Fact);
            _json.WriteEndObject();
        }

        _json.WriteEndArray();
    }

    private void Fact(AltiplanoFact fact)
    {
        _json.WriteString("kind", Lower(fact.Kind));
        _json.WriteString("subject", fact.Subject);
        _json.WriteString("relation", fact.Relation);
        _json.WriteString("value", fact.Value);
        if (fact.Number is { } number)
        {
            _json.WriteNumber("number", number);
        }
    }

    private void End(Stream output)
    {
        _json.WriteEndObject();
        _json.Flush();
        output.Write(_buffer.WrittenSpan);
        output.WriteByte((byte)'\n');
        _buffer.Clear();
        _json.Reset();
    }
}
