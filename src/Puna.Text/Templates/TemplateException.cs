using Puna.Tensors;

namespace Puna.Text.Templates;

/// <summary>A chat template cannot be read, or refuses a conversation.</summary>
public sealed class TemplateException : PunaException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="kind">Name of the error as Jinja or Python have it, for example <c>UndefinedError</c>.</param>
    /// <param name="detail">What is wrong; may have several lines where a template says so.</param>
    /// <param name="line">Line of the template, or 0 where there is none to name.</param>
    public TemplateException(string kind, string detail, int line = 0)
        : base(line > 0 ? $"{kind}: {detail} (template, line {line})" : $"{kind}: {detail}")
    {
        Kind = kind;
        Detail = detail;
        Line = line;
    }

    /// <summary>Name of the error as Jinja or Python have it.</summary>
    public string Kind { get; }

    /// <summary>What is wrong.</summary>
    public string Detail { get; }

    /// <summary>Line of the template, or 0.</summary>
    public int Line { get; }

    /// <summary>Kind and detail as Python shows them, line breaks included.</summary>
    public string Error => Kind + ": " + Detail;
}
