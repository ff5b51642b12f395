namespace Puna.Text.Templates;

/// <summary>Makes statements of a template's tokens, by Jinja's grammar. Nesting is limited, and time is linear.</summary>
internal sealed partial class TemplateParser
{
    private readonly List<TemplateToken> _tokens;
    private readonly int _mostDepth;
    private readonly List<string[]> _ends = [];
    private readonly List<string> _tags = [];

    // Filters and tests that do not exist: an error at once, but within a condition only where they are reached.
    private readonly List<(string What, string Name, int Line)> _unknown = [];
    private HashSet<string> _used = new(StringComparer.Ordinal);
    private int _at;
    private int _depth;

    private TemplateParser(List<TemplateToken> tokens, int mostDepth) => (_tokens, _mostDepth) = (tokens, mostDepth);

    private TemplateToken Current => _tokens[_at];

    /// <summary>The statements of a template.</summary>
    /// <exception cref="TemplateException">It is no template.</exception>
    public static IReadOnlyList<Statement> Parse(string source, int mostDepth)
    {
        var parser = new TemplateParser(TemplateLexer.Split(source), mostDepth);
        List<Statement> statements = parser.Body(null);
        if (parser._unknown is [(string what, string name, int line), ..])
            throw new TemplateException("TemplateAssertionError", $"No {what} named '{name}'.", line);
        return statements;
    }

    private List<Statement> Body(string[]? ends)
    {
        var body = new List<Statement>();
        Deeper();
        if (ends is not null)
            _ends.Add(ends);
        while (Current.Kind != TokenKind.End)
        {
            switch (Current.Kind)
            {
                case TokenKind.Data:
                    body.Add(new Data(Next().Text));
                    break;
                case TokenKind.VariableBegin:
                    Next();
                    body.Add(new Print(Tuple()));
                    Expect(TokenKind.VariableEnd, "end of print statement");
                    break;
                default:
                    Next();
                    if (ends is not null && Current.Kind == TokenKind.Name && ends.Contains(Current.Text))
                    {
                        _ends.RemoveAt(_ends.Count - 1);
                        _depth--;
                        return body;
                    }

                    body.AddRange(OneStatement());
                    Expect(TokenKind.BlockEnd, "end of statement block");
                    break;
            }
        }

        if (ends is not null)
            throw Unfinished(null, Current.Line);
        _depth--;
        return body;
    }

    /// <summary>The body of a block, from the end of its first tag; the tag that ends it has been read up to its name.</summary>
    private List<Statement> Block(params string[] ends)
    {
        Skip(":");
        Expect(TokenKind.BlockEnd, "end of statement block");
        return Body(ends);
    }

    private List<Statement> WholeBlock(string end)
    {
        List<Statement> body = Block(end);
        Next();
        return body;
    }

    private IReadOnlyList<Statement> OneStatement()
    {
        TemplateToken tag = Current;
        if (tag.Kind != TokenKind.Name)
            throw Wrong("tag name expected", tag.Line);
        _tags.Add(tag.Text);
        IReadOnlyList<Statement>? result = tag.Text switch
        {
            "set" => [Set()],
            "for" => [Loop()],
            "if" => [Condition()],
            "macro" => [Definition()],
            "call" => [Calling()],
            "filter" => [Filtering()],
            "with" => [With()],
            "block" => [NamedBlock()],
            "print" => Prints(),
            "break" or "continue" => [LeaveLoop()],
            "generation" => [Generation()],
            "include" or "import" or "extends" or "from" => [Loading()],
            "autoescape" => throw Wrong("autoescape: expected a template without it, got one that escapes HTML", tag.Line),
            _ => null,
        };
        _tags.RemoveAt(_tags.Count - 1);
        return result ?? throw Unfinished(tag.Text, tag.Line);
    }

    private Statement Set()
    {
        Next();
        Expression target = Target(withNamespace: true, null);
        if (Skip("="))
            return new Assignment(target, Tuple());
        FilterExpression? filter = Current.Is("|") ? (FilterExpression)Filter(null) : null;
        return new BlockAssignment(target, filter, WholeBlock("endset"));
    }

    private For Loop()
    {
        Next();
        Expression target = Target(withNamespace: false, "in");
        ExpectName("in");
        Expression items = Tuple(withCondition: false, end: "recursive");
        Expression? condition = SkipName("if") ? Expr() : null;
        bool isRecursive = SkipName("recursive");
        _loops++;
        List<Statement> body = Block("endfor", "else");
        _loops--;
        List<Statement> otherwise = Next().Text == "else" ? WholeBlock("endfor") : [];
        return new For(target, items, condition, isRecursive, body, otherwise);
    }

    private If Condition()
    {
        Next();
        int unknown = _unknown.Count;
        var branches = new List<(Expression, IReadOnlyList<Statement>)>();
        List<Statement> otherwise = [];
        while (true)
        {
            Expression condition = Tuple(withCondition: false);
            branches.Add((condition, Block("elif", "else", "endif")));
            string end = Next().Text;
            if (end == "elif")
                continue;
            if (end == "else")
                otherwise = WholeBlock("endif");
            break;
        }

        _unknown.RemoveRange(unknown, _unknown.Count - unknown);
        return new If(branches, otherwise);
    }

    private Macro Definition()
    {
        Next();
        string name = Target();
        return new Macro(name, Signature("endmacro"));
    }

    private CallBlock Calling()
    {
        int line = Next().Line;
        (List<string> names, List<Expression> defaults) = Current.Is("(") ? Parameters() : ([], []);
        if (Expr() is not Call call)
            throw Wrong("expected call", line);
        return new CallBlock(call, Signature("endcall", names, defaults));
    }

    private Signature Signature(string end)
    {
        (List<string> names, List<Expression> defaults) = Parameters();
        return Signature(end, names, defaults);
    }

    private Signature Signature(string end, List<string> names, List<Expression> defaults)
    {
        (HashSet<string> outer, int loops) = (_used, _loops);
        _used = new HashSet<string>(StringComparer.Ordinal);
        _loops = 0;
        List<Statement> body = WholeBlock(end);
        var signature = new Signature(names, defaults, body, _used);
        outer.UnionWith(_used);
        (_used, _loops) = (outer, loops);
        return signature;
    }

    private (List<string> Names, List<Expression> Defaults) Parameters()
    {
        var names = new List<string>();
        var defaults = new List<Expression>();
        ExpectOperator("(");
        while (!Current.Is(")"))
        {
            if (names.Count > 0)
                ExpectOperator(",");
            names.Add(Target());
            if (Skip("="))
                defaults.Add(Expr());
            else if (defaults.Count > 0)
                throw Wrong("non-default argument follows default argument", Current.Line);
        }

        Next();
        return (names, defaults);
    }

    private FilterBlock Filtering()
    {
        Next();
        var filter = (FilterExpression)Filter(null, startsInline: true);
        return new FilterBlock(filter, WholeBlock("endfilter"));
    }

    private Scoped With()
    {
        Next();
        var assignments = new List<(Expression, Expression)>();
        while (Current.Kind != TokenKind.BlockEnd && !Current.Is(":"))
        {
            if (assignments.Count > 0)
                ExpectOperator(",");
            Expression target = Target(withNamespace: false, null);
            ExpectOperator("=");
            assignments.Add((target, Expr()));
        }

        return new Scoped(assignments, WholeBlock("endwith"));
    }

    private Scoped NamedBlock()
    {
        Next();
        string name = ExpectKind(TokenKind.Name, "name").Text;
        SkipName("scoped");
        SkipName("required");
        List<Statement> body = WholeBlock("endblock");
        SkipName(name);
        return new Scoped([], body);
    }

    private Scoped Generation()
    {
        Next();
        return new Scoped([], WholeBlock("endgeneration"));
    }

    private List<Statement> Prints()
    {
        Next();
        var prints = new List<Statement>();
        while (Current.Kind != TokenKind.BlockEnd)
        {
            if (prints.Count > 0)
                ExpectOperator(",");
            prints.Add(new Print(Expr()));
        }

        return prints;
    }

    private Leave LeaveLoop()
    {
        TemplateToken tag = Next();
        if (_loops == 0)
            throw new TemplateException("SyntaxError", tag.Text == "break" ? "'break' outside loop" : "'continue' not properly in loop", tag.Line);
        return new Leave(tag.Text == "break" ? Flow.Break : Flow.Continue);
    }

    private Fail Loading()
    {
        Next();
        while (Current.Kind is not (TokenKind.BlockEnd or TokenKind.End))
            Next();
        return new Fail(PythonTypes.TypeError("no loader for this environment specified"));
    }

    private TemplateException Unfinished(string? tag, int line)
    {
        string message = tag is null ? "Unexpected end of template." : $"Encountered unknown tag '{tag}'.";
        if (_ends.Count > 0)
        {
            string looking = string.Join(" or ", _ends[^1].Select(static end => $"'{end}'"));
            message += tag is not null && _ends.Exists(ends => ends.Contains(tag))
                ? $" You probably made a nesting mistake. Jinja is expecting this tag, but currently looking for {looking}."
                : $" Jinja was looking for the following tags: {looking}.";
        }

        // An unknown tag is not a block that could be closed.
        int open = _tags.Count - (tag is null ? 0 : 0);
        return Wrong(open > 0 ? $"{message} The innermost block that needs to be closed is '{_tags[open - 1]}'." : message, line);
    }

    private int _loops;

    private TemplateToken Next() => _tokens[_at < _tokens.Count - 1 ? _at++ : _at];

    private void Deeper()
    {
        if (++_depth > _mostDepth)
            throw new TemplateException("LimitError", $"template: expected nesting of at most {_mostDepth}, got more", Current.Line);
        Budget.CheckStack();
    }

    private bool Skip(string op)
    {
        if (!Current.Is(op))
            return false;
        Next();
        return true;
    }

    private bool SkipName(string name)
    {
        if (!Current.IsName(name))
            return false;
        Next();
        return true;
    }

    private TemplateToken ExpectKind(TokenKind kind, string name) => Current.Kind == kind ? Next() : throw Expected(name);

    private void Expect(TokenKind kind, string name) => ExpectKind(kind, name);

    private void ExpectOperator(string op)
    {
        if (!Skip(op))
            throw Expected(op);
    }

    private void ExpectName(string name)
    {
        if (!SkipName(name))
            throw Expected(name);
    }

    private TemplateException Expected(string what) => Current.Kind == TokenKind.End
        ? Wrong($"unexpected end of template, expected '{what}'.", Current.Line)
        : Wrong($"expected token '{what}', got {PythonRepr.Quote(Current.Describe())}", Current.Line);

    private static TemplateException Wrong(string message, int line) => new("TemplateSyntaxError", message, line);
}
