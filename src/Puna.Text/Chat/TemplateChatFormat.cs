using System.Text;
using System.Text.Json;
using Puna.Tensors;
using Puna.Text.Templates;
using Puna.Text.Tools;

namespace Puna.Text.Chat;

/// <summary>
/// A chat format that is defined by the model's own template, for models whose layout is none of those known here. The template writes text; what it writes of the
/// tokenizer's special tokens becomes control tokens, and what messages contain of them stays text.
/// </summary>
/// <remarks>
/// Special tokens inside contents are marked by a character that is no character of any text (U+FDD0 and its neighbours), which is taken out again afterwards, so
/// a template that compares contents with special tokens finds them changed.
/// </remarks>
public sealed class TemplateChatFormat : ChatFormat
{
    private const char FirstMark = '\uFDD0';
    private const char LastMark = '\uFDEF';

    private readonly ChatTemplate _template;
    private readonly TokenTrie _special;
    private readonly string _bos;
    private readonly string _eos;
    private readonly ChatPiece[] _stops;
    private readonly DateTime? _now;
    private readonly bool _hasTiles;
    private readonly bool _knowsTools;

    // What a template is asked to tell.
    private static readonly ChatTool ProbeTool = new(
        "probe_tool", "Probe.", "{\"type\":\"object\",\"properties\":{\"p\":{\"type\":\"string\",\"description\":\"P\"}},\"required\":[\"p\"]}");

    private TemplateChatFormat(ChatTemplate template, Tokenizer tokenizer, DateTime? now, bool forTools)
        : base("the model's own template")
    {
        _template = template;
        _now = now;
        _special = new TokenTrie(Enumerable.Range(0, tokenizer.VocabularySize).Where(tokenizer.IsSpecial).Select(tokenizer.Piece).Where(piece => piece.Length > 1 && tokenizer.IdOf(piece) is not null));
        _hasTiles = ImageTokens.AreTiled(tokenizer);
        _bos = tokenizer.BosId is int bos ? tokenizer.Piece(bos) : "";
        _eos = tokenizer.EosId is int eos ? tokenizer.Piece(eos) : "";
        _stops = [];
        // What follows a reply in the template ends one.
        const string Probe = "reply_probe";
        var reply = new ChatPrompt { Messages = [new(ChatRole.User, "question"), new(ChatRole.Assistant, Probe)], Tools = forTools ? [ProbeTool] : [], AddGenerationPrompt = false };
        List<ChatPiece> pieces = Split(RenderText(reply, FirstMark), FirstMark);
        int at = pieces.FindLastIndex(static piece => piece.Kind == ChatPieceKind.Text && piece.Text.Contains(Probe, StringComparison.Ordinal));
        _stops = at >= 0 && at + 1 < pieces.Count ? [pieces[at + 1]] : [];
        _knowsTools = FindsTools();
    }

    /// <summary>Whether the template tells the model of tools; where it does not, they are put into the system message.</summary>
    public bool KnowsTools => _knowsTools;

    /// <inheritdoc/>
    private protected override bool HasToolRole => _knowsTools;

    /// <inheritdoc/>
    private protected override IReadOnlyList<ChatPiece> Stops => _stops;

    /// <inheritdoc/>
    private protected override bool HasImages => true;

    /// <summary>The format of a template, or null where it cannot be read or does not render a simple conversation.</summary>
    /// <param name="template">A Jinja template.</param>
    /// <param name="tokenizer">The model's.</param>
    /// <param name="now">The time a template is told; that of the machine where null.</param>
    /// <param name="forTools">Whether it is for conversations with tools alone, as those named <c>tool_use</c> are, which need not render others.</param>
    public static TemplateChatFormat? TryCreate(string template, Tokenizer tokenizer, DateTime? now = null, bool forTools = false)
    {
        try
        {
            return new TemplateChatFormat(ChatTemplate.Parse(template), tokenizer, now, forTools);
        }
        catch (PunaException)
        {
            return null;
        }
    }

    /// <inheritdoc/>
    internal override bool Fits(Tokenizer tokenizer) => true;

    /// <inheritdoc/>
    private protected override void WriteTools(ChatPrompt prompt, List<ChatPiece> pieces)
    {
        if (!_knowsTools)
            prompt = prompt with { Messages = ToolFolding.Fold(prompt, HasToolRole), Tools = [] };
        pieces.AddRange(RenderPieces(prompt, FreeMark(prompt)));
    }

    /// <inheritdoc/>
    private protected override void Write(IReadOnlyList<ChatMessage> messages, int from, bool addGenerationPrompt, List<ChatPiece> pieces)
    {
        var prompt = new ChatPrompt { Messages = messages, AddGenerationPrompt = addGenerationPrompt };
        char mark = FreeMark(prompt);
        List<ChatPiece> whole = RenderPieces(prompt, mark);
        if (from == 0)
        {
            pieces.AddRange(whole);
            return;
        }

        // The known part ends with the token that ended the reply, not with what the template writes after it.
        List<ChatPiece> known = RenderPieces(new ChatPrompt { Messages = [.. messages.Take(from)], AddGenerationPrompt = false }, mark);
        int end = known.FindLastIndex(piece => _stops.Contains(piece));
        if (end < 0 || whole.Count <= end || !whole.Take(end + 1).SequenceEqual(known.Take(end + 1)))
            throw new PunaException($"messages: expected a template that only appends, got one that rewrites what came before ({Name})");
        pieces.AddRange(whole.Skip(end + 1));
    }

    // Whether the name of a tool comes out at the other end.
    private bool FindsTools()
    {
        try
        {
            return RenderText(new ChatPrompt { Messages = [new(ChatRole.User, "question")], Tools = [ProbeTool] }, FirstMark).Contains(ProbeTool.Name, StringComparison.Ordinal);
        }
        catch (PunaException)
        {
            return false;
        }
    }

    private static char FreeMark(ChatPrompt prompt)
    {
        for (char mark = FirstMark; mark <= LastMark; mark++)
        {
            // In JSON the character may be written as an escape.
            string escape = $"\\u{(int)mark:x4}";
            bool Has(string? text) => text is not null && (text.Contains(mark) || text.Contains(escape, StringComparison.OrdinalIgnoreCase));
            if (!prompt.Messages.Any(message => Has(message.Content) || Has(message.ToolName) || Has(message.ToolCallId)
                    || message.ToolCalls?.Any(call => Has(call.Name) || Has(call.Arguments) || Has(call.Id)) == true)
                && !prompt.Tools.Any(tool => Has(tool.Name) || Has(tool.Description) || Has(tool.Parameters)) && !Has(prompt.Variables))
            {
                return mark;
            }
        }

        throw new PunaException("messages: expected text, got all of the characters U+FDD0 to U+FDEF, which are none");
    }

    private List<ChatPiece> RenderPieces(ChatPrompt prompt, char mark) => ImageTokens.Expand(Split(RenderText(prompt, mark), mark), prompt.Messages, _hasTiles);

    private string RenderText(ChatPrompt prompt, char mark)
    {
        using JsonDocument variables = TemplateVariables.Of(prompt, _bos, _eos, text => Mark(text, mark));
        return _template.Render(variables.RootElement, _now);
    }

    /// <summary>Breaks up special tokens inside a content, each behind its first character, wherever one begins.</summary>
    private string Mark(string content, char mark)
    {
        var marked = new StringBuilder(content.Length);
        for (int at = 0; at < content.Length; at++)
        {
            marked.Append(content[at]);
            if (_special.Longest(content.AsSpan(at)) is not null)
            {
                marked.Append(mark);
            }
        }

        return marked.ToString();
    }

    /// <summary>The pieces of a rendered text: special tokens, and text without marks.</summary>
    private List<ChatPiece> Split(string rendered, char mark)
    {
        var pieces = new List<ChatPiece>();
        var text = new StringBuilder();
        for (int at = 0; at < rendered.Length;)
        {
            string? token = _special.Longest(rendered.AsSpan(at));
            if (token is null)
            {
                if (rendered[at] != mark)
                    text.Append(rendered[at]);
                at++;
                continue;
            }

            Flush();
            pieces.Add(ChatPiece.Control(token));
            at += token.Length;
        }

        Flush();
        return pieces;

        void Flush()
        {
            if (text.Length > 0)
                pieces.Add(ChatPiece.Of(text.ToString()));
            text.Clear();
        }
    }
}
