namespace Puna.Text.Templates;

/// <summary>What a token of a template is.</summary>
internal enum TokenKind
{
    Data,
    VariableBegin,
    VariableEnd,
    BlockBegin,
    BlockEnd,
    Name,
    String,
    Number,
    Operator,
    End,
}

/// <summary>A token of a template.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Text">Its text: of a string, escapes resolved.</param>
/// <param name="Value">The value of a number.</param>
/// <param name="Line">Line of the template, from 1.</param>
internal readonly record struct TemplateToken(TokenKind Kind, string Text, object? Value, int Line)
{
    /// <summary>Whether it is this operator.</summary>
    public bool Is(string op) => Kind == TokenKind.Operator && Text == op;

    /// <summary>Whether it is this word.</summary>
    public bool IsName(string name) => Kind == TokenKind.Name && Text == name;

    /// <summary>As Jinja names it in messages.</summary>
    public string Describe() => Kind switch
    {
        TokenKind.Data => "template data / text",
        TokenKind.VariableBegin => "begin of print statement",
        TokenKind.VariableEnd => "end of print statement",
        TokenKind.BlockBegin => "begin of statement block",
        TokenKind.BlockEnd => "end of statement block",
        TokenKind.String => "string",
        TokenKind.Number => Value is double ? "float" : "integer",
        TokenKind.End => "end of template",
        _ => Text,
    };
}
