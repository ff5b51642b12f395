using System.Text.Json;

namespace Puna.Text.Templates;

/// <summary>
/// A chat template: Jinja as libraries run it for language models, with <c>trim_blocks</c>, <c>lstrip_blocks</c>, loop controls, <c>raise_exception</c>,
/// <c>strftime_now</c> and a <c>tojson</c> that escapes nothing for HTML. Values behave as Python's do. A template can neither change what it is given nor reach
/// anything else, and what it may use up is limited, so that templates of unknown origin can be rendered. Immutable and thread-safe.
/// </summary>
/// <remarks>
/// Not there: loading of other templates, <c>autoescape</c>, and the filters <c>filesizeformat</c>, <c>random</c>, <c>striptags</c>, <c>urlize</c>, <c>wordwrap</c> and <c>xmlattr</c>.
/// <c>safe</c> gives plain text.
/// </remarks>
public sealed class ChatTemplate
{
    private readonly IReadOnlyList<Statement> _statements;
    private readonly TemplateLimits _limits;

    private ChatTemplate(IReadOnlyList<Statement> statements, TemplateLimits limits) => (_statements, _limits) = (statements, limits);

    /// <summary>Reads a template.</summary>
    /// <param name="source">Its text.</param>
    /// <param name="limits">What it may use up; null for <see cref="TemplateLimits.Default"/>.</param>
    /// <exception cref="TemplateException">It is no template.</exception>
    public static ChatTemplate Parse(string source, TemplateLimits? limits = null)
    {
        limits ??= TemplateLimits.Default;
        return source.Length <= limits.SourceLength ? new ChatTemplate(TemplateParser.Parse(source, limits.Depth), limits)
            : throw new TemplateException("LimitError", $"template: expected at most {limits.SourceLength} characters, got {source.Length}");
    }

    /// <summary>Renders it.</summary>
    /// <param name="variables">A JSON object: names and their values.</param>
    /// <param name="now">What <c>strftime_now</c> tells; the time of the machine where null.</param>
    /// <exception cref="TemplateException">The template refuses the variables, fails on them, or uses up too much.</exception>
    public string Render(JsonElement variables, DateTime? now = null)
    {
        var budget = new Budget(_limits);
        var globals = new Scope(null);
        TemplateGlobals.Define(globals);
        foreach (JsonProperty variable in variables.EnumerateObject())
            globals.Set(JsonStrings.Name(variable), PythonJson.Read(budget, variable.Value));
        var state = new RenderState(budget, new Scope(globals), now ?? DateTime.Now);
        Statement.RunAll(_statements, state);
        return state.Output.ToString();
    }
}
