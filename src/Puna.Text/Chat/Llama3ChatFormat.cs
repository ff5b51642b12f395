using System.Globalization;

namespace Puna.Text.Chat;

/// <summary>
/// The message frame of Llama 3, 3.1, 3.2 and 3.3 (spec llama1-3.md 6.5). Role, blank line and content are tokenised separately, as in Meta's encoder, so
/// that content which begins with line breaks is not merged with the header.
/// </summary>
/// <remarks>
/// There are three of it. <see cref="Llama3"/> and <see cref="Llama31"/> are Meta's code of the two releases: they differ in trimming, and in the tokens that came
/// with tools. <see cref="Published"/> is what the Jinja template published with the 3.1, 3.2 and 3.3 Instruct models makes of a conversation:
/// it always begins with a system message that tells dates, and trims contents. Servers and libraries apply that template, so that it is what
/// users of those models are used to; a model that comes with the template is given it, and Meta's layout is for models that come without.
/// </remarks>
public sealed partial class Llama3ChatFormat : ChatFormat
{
    /// <summary>The date that the templates of Llama 3.1 and 3.3 tell, and that of 3.2 where it cannot know.</summary>
    public const string DefaultDate = "26 Jul 2024";

    /// <summary>A chat template (Jinja) that says what <see cref="Llama31"/> does with text messages, for models that come with none.</summary>
    public const string Template =
        "{% for message in messages %}{% if loop.first %}{{ '<|begin_of_text|>' }}{% endif %}{{ '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n' + message['content'] + '<|eot_id|>' }}"
        + "{% endfor %}{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}";

    private readonly bool _trims;
    private readonly bool _awaitsTools;
    private readonly string? _date;
    private readonly bool _knowsBuiltIns;

    private Llama3ChatFormat(string name, bool trims, bool awaitsTools, string? date, bool knowsBuiltIns = false)
        : base(name)
    {
        _knowsBuiltIns = knowsBuiltIns;
        _trims = trims;
        _awaitsTools = awaitsTools;
        _date = date;
    }

    /// <summary>Llama 3 of April 2024: contents are trimmed, and there are no tools.</summary>
    public static Llama3ChatFormat Llama3 { get; } = new("Llama 3", true, false, null);

    /// <summary>Llama 3.1, 3.2 and 3.3 by Meta's code: contents as they are, pictures among them, a tool's answer as role <c>ipython</c>.</summary>
    public static Llama3ChatFormat Llama31 { get; } = new("Llama 3.1", false, true, null);

    /// <summary>Whether it is that of <see cref="Published"/>.</summary>
    internal bool IsPublished => _date is not null;

    /// <inheritdoc/>
    private protected override IReadOnlyList<ChatPiece> Stops =>
        [ChatPiece.Control("<|end_of_text|>"), ChatPiece.Control("<|eot_id|>"), ChatPiece.Control("<|eom_id|>")];

    /// <inheritdoc/>
    private protected override bool HasContext => _awaitsTools;

    /// <inheritdoc/>
    private protected override bool HasImages => _awaitsTools;

    /// <summary>Llama 3.1, 3.2 and 3.3 by their published templates.</summary>
    /// <param name="date">The date told to the model, as the templates write it: <c>26 Jul 2024</c>.</param>
    /// <param name="knowsBuiltIns">Whether the variable <c>builtin_tools</c> is known, as in the templates of 3.1 and 3.3 but not in that of 3.2.</param>
    public static Llama3ChatFormat Published(string date = DefaultDate, bool knowsBuiltIns = true) => new("Llama 3.1 (published template)", true, false, date, knowsBuiltIns);

    /// <summary>A date as <see cref="Published"/> writes it.</summary>
    public static string FormatDate(DateOnly date) => date.ToString("dd MMM yyyy", CultureInfo.InvariantCulture);

    /// <inheritdoc/>
    internal override bool Fits(Tokenizer tokenizer) =>
        tokenizer.IdOf("<|start_header_id|>") is not null && tokenizer.IdOf("<|end_header_id|>") is not null && tokenizer.IdOf("<|eot_id|>") is not null;

    /// <inheritdoc/>
    private protected override void Write(IReadOnlyList<ChatMessage> messages, int from, bool addGenerationPrompt, List<ChatPiece> pieces)
    {
        int next = from;
        if (from == 0)
        {
            pieces.Add(ChatPiece.Control("<|begin_of_text|>"));
            if (_date is not null)
            {
                bool hasSystem = messages[0].Role == ChatRole.System;
                WriteHeader("system", pieces);
                // One text with the instructions, as a template's result is tokenised.
                string system = hasSystem ? PythonText.Strip(messages[0].Content) : "";
                pieces.Add(ChatPiece.Of("Cutting Knowledge Date: December 2023\nToday Date: " + _date + "\n\n" + system));
                pieces.Add(ChatPiece.Control("<|eot_id|>"));
                next = hasSystem ? 1 : 0;
            }
        }

        for (; next < messages.Count; next++)
            WriteMessage(messages, next, pieces);
        if (addGenerationPrompt)
            WriteHeader("assistant", pieces);
    }

    private static void WriteHeader(string role, List<ChatPiece> pieces)
    {
        pieces.Add(ChatPiece.Control("<|start_header_id|>"));
        pieces.Add(ChatPiece.Of(role));
        pieces.Add(ChatPiece.Control("<|end_header_id|>"));
        pieces.Add(ChatPiece.Of("\n\n"));
    }

    private void WriteMessage(IReadOnlyList<ChatMessage> messages, int index, List<ChatPiece> pieces)
    {
        ChatMessage message = messages[index];
        bool isTool = message.Role == ChatRole.Tool;
        if (isTool && !_awaitsTools && _date is null)
            throw Refuse("system, user or assistant", messages, index);
        WriteHeader(isTool ? "ipython" : RoleName(message.Role), pieces);
        // The published templates write a tool's answer, where it is a string, as JSON.
        string content = isTool && _date is not null ? PythonText.JsonString(message.Content) : message.Content;
        if (message.Images.Count > 0)
            ImageTokens.WriteContent(message, isTiled: false, pieces);
        else
            pieces.Add(ChatPiece.Of(_trims ? PythonText.Strip(content) : content));
        if (message.Context is string context)
        {
            pieces.Add(ChatPiece.Of("\n\n"));
            pieces.Add(ChatPiece.Of(context));
        }

        bool awaitsTool = _awaitsTools && message.AwaitsTool && message.Role == ChatRole.Assistant;
        pieces.Add(ChatPiece.Control(awaitsTool ? "<|eom_id|>" : "<|eot_id|>"));
    }
}
