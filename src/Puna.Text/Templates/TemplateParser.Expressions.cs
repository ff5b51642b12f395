using System.Text;

namespace Puna.Text.Templates;

/// <content>Expressions, from those that bind least to those that bind most.</content>
internal sealed partial class TemplateParser
{
    private Expression Expr(bool withCondition = true)
    {
        Deeper();
        Expression result = withCondition ? ConditionalExpr() : Or();
        _depth--;
        return result;
    }

    private Expression ConditionalExpr()
    {
        int line = Current.Line, unknown = _unknown.Count;
        Expression result = Or();
        while (SkipName("if"))
        {
            Expression condition = Or();
            Expression? otherwise = null;
            if (SkipName("else"))
            {
                Deeper();
                otherwise = ConditionalExpr();
                _depth--;
            }

            result = new Conditional(condition, result, otherwise, line);
            _unknown.RemoveRange(unknown, _unknown.Count - unknown);
            line = Current.Line;
        }

        return result;
    }

    private Expression Or()
    {
        Expression left = And();
        for (int count = 0; SkipName("or"); count++)
            left = new Logical(Chained(left, count), And(), isAnd: false);
        return left;
    }

    private Expression And()
    {
        Expression left = Negation();
        for (int count = 0; SkipName("and"); count++)
            left = new Logical(Chained(left, count), Negation(), isAnd: true);
        return left;
    }

    private Expression Negation()
    {
        if (!Current.IsName("not"))
            return Compare();
        Next();
        Deeper();
        var result = new Not(Negation());
        _depth--;
        return result;
    }

    private Expression Compare()
    {
        Expression first = Sum();
        var rest = new List<(string, Expression)>();
        while (true)
        {
            if (Current.Kind == TokenKind.Operator && Current.Text is "==" or "!=" or "<" or "<=" or ">" or ">=")
            {
                rest.Add((Next().Text, Sum()));
            }
            else if (SkipName("in"))
            {
                rest.Add(("in", Sum()));
            }
            else if (Current.IsName("not") && _tokens[_at + 1].IsName("in"))
            {
                Next();
                Next();
                rest.Add(("not in", Sum()));
            }
            else
            {
                return rest.Count == 0 ? first : new Comparison(first, rest);
            }
        }
    }

    private Expression Sum()
    {
        Expression left = Concat();
        for (int count = 0; Current.Is("+") || Current.Is("-"); count++)
            left = new Binary(Next().Text, Chained(left, count), Concat());
        return left;
    }

    private Expression Concat()
    {
        Expression first = Product();
        if (!Current.Is("~"))
            return first;
        var parts = new List<Expression> { first };
        while (Skip("~"))
            parts.Add(Product());
        return new Concatenation(parts);
    }

    private Expression Product()
    {
        Expression left = Power();
        for (int count = 0; Current.Kind == TokenKind.Operator && Current.Text is "*" or "/" or "//" or "%"; count++)
            left = new Binary(Next().Text, Chained(left, count), Power());
        return left;
    }

    private Expression Power()
    {
        Expression left = Signed();
        for (int count = 0; Skip("**"); count++)
            left = new Binary("**", Chained(left, count), Signed());
        return left;
    }

    private Expression Signed(bool withFilter = true)
    {
        Expression node;
        if (Current.Is("-") || Current.Is("+"))
        {
            string op = Next().Text;
            Deeper();
            node = new Unary(op, Signed(withFilter: false));
            _depth--;
        }
        else
        {
            node = Primary();
        }

        node = Postfix(node);
        return withFilter ? FilterOrTest(node) : node;
    }

    // A chain of operators is nested as deep as it is long, and is evaluated so.
    private T Chained<T>(T node, int count)
    {
        if (count > _mostDepth)
            throw new TemplateException("LimitError", $"template: expected at most {_mostDepth} operators in a row, got more", Current.Line);
        return node;
    }

    private Expression Primary()
    {
        TemplateToken token = Current;
        switch (token.Kind)
        {
            case TokenKind.Name:
                Next();
                switch (token.Text)
                {
                    case "true" or "True":
                        return new Constant(true);
                    case "false" or "False":
                        return new Constant(false);
                    case "none" or "None":
                        return new Constant(null);
                    default:
                        _used.Add(token.Text);
                        return new Variable(token.Text);
                }

            case TokenKind.String:
                Next();
                if (Current.Kind != TokenKind.String)
                    return new Constant(token.Text);
                var text = new StringBuilder(token.Text);
                while (Current.Kind == TokenKind.String)
                    text.Append(Next().Text);
                return new Constant(text.ToString());
            case TokenKind.Number:
                Next();
                return new Constant(token.Value);
            case TokenKind.Operator when token.Text == "(":
                Next();
                Expression inner = Tuple(inParentheses: true);
                ExpectOperator(")");
                return inner;
            case TokenKind.Operator when token.Text == "[":
                Next();
                return new Items(Sequence("]"), isTuple: false);
            case TokenKind.Operator when token.Text == "{":
                Next();
                return Dict();
            default:
                throw Wrong($"unexpected {PythonRepr.Quote(token.Describe())}", token.Line);
        }
    }

    private List<Expression> Sequence(string end)
    {
        var parts = new List<Expression>();
        while (!Current.Is(end))
        {
            if (parts.Count > 0)
                ExpectOperator(",");
            if (Current.Is(end))
                break;
            parts.Add(Expr());
        }

        ExpectOperator(end);
        return parts;
    }

    private Pairs Dict()
    {
        var parts = new List<(Expression, Expression)>();
        while (!Current.Is("}"))
        {
            if (parts.Count > 0)
                ExpectOperator(",");
            if (Current.Is("}"))
                break;
            Expression key = Expr();
            ExpectOperator(":");
            parts.Add((key, Expr()));
        }

        ExpectOperator("}");
        return new Pairs(parts);
    }

    /// <summary>An expression, or several with commas between, which are a tuple.</summary>
    private Expression Tuple(bool withCondition = true, string? end = null, bool inParentheses = false)
    {
        var parts = new List<Expression>();
        bool isTuple = false;
        while (true)
        {
            if (parts.Count > 0)
                ExpectOperator(",");
            if (IsTupleEnd(end))
                break;
            parts.Add(Expr(withCondition));
            if (!Current.Is(","))
                break;
            isTuple = true;
        }

        if (!isTuple && parts.Count > 0)
            return parts[0];
        if (!isTuple && !inParentheses)
            throw Wrong($"Expected an expression, got {PythonRepr.Quote(Current.Describe())}", Current.Line);
        return new Items(parts, isTuple: true);
    }

    private bool IsTupleEnd(string? end) =>
        Current.Kind is TokenKind.VariableEnd or TokenKind.BlockEnd || Current.Is(")") || (end is not null && Current.IsName(end));

    /// <summary>One name that is given a value.</summary>
    private string Target()
    {
        TemplateToken name = ExpectKind(TokenKind.Name, "name");
        return CanAssign(name) ? name.Text : throw Wrong("can't assign to 'name'", name.Line);
    }

    private static bool CanAssign(TemplateToken name) => name.Text is not ("true" or "false" or "none" or "True" or "False" or "None");

    /// <summary>Names that are given values.</summary>
    private Expression Target(bool withNamespace, string? end)
    {
        var parts = new List<Expression>();
        bool isTuple = false;
        int line = Current.Line;
        Deeper();
        while (true)
        {
            if (parts.Count > 0)
                ExpectOperator(",");
            if (IsTupleEnd(end))
                break;
            parts.Add(OneTarget(withNamespace));
            if (!Current.Is(","))
                break;
            isTuple = true;
        }

        _depth--;
        if (!isTuple && parts.Count == 0)
            throw Wrong($"Expected an expression, got {PythonRepr.Quote(Current.Describe())}", line);
        return isTuple ? new Items(parts, isTuple: true) : parts[0];
    }

    private Expression OneTarget(bool withNamespace)
    {
        TemplateToken token = Current;
        if (Skip("("))
        {
            Expression inner = Target(withNamespace, null);
            ExpectOperator(")");
            return inner;
        }

        if (token.Kind != TokenKind.Name || !CanAssign(token))
        {
            string kind = token.Kind is TokenKind.Name or TokenKind.String or TokenKind.Number ? "const" : token.Is("[") ? "list" : token.Is("{") ? "dict" : "";
            throw Wrong(kind.Length > 0 ? $"can't assign to '{kind}'" : $"unexpected {PythonRepr.Quote(token.Describe())}", token.Line);
        }

        Next();
        if (!withNamespace || !Skip("."))
            return new Variable(token.Text);
        _used.Add(token.Text);
        return new NamespaceTarget(token.Text, ExpectKind(TokenKind.Name, "name").Text);
    }

    private Expression Postfix(Expression node)
    {
        for (int count = 0; ; count++)
        {
            Chained(node, count);
            if (Current.Is(".") || Current.Is("["))
                node = Access(node);
            else if (Current.Is("("))
                node = new Call(node, CallArguments());
            else
                return node;
        }
    }

    private Expression FilterOrTest(Expression node)
    {
        for (int count = 0; ; count++)
        {
            Chained(node, count);
            if (Current.Is("|"))
                node = Filter(node);
            else if (Current.IsName("is"))
                node = Test(node);
            else if (Current.Is("("))
                node = new Call(node, CallArguments());
            else
                return node;
        }
    }

    private Expression Access(Expression node)
    {
        if (Skip("."))
        {
            TemplateToken name = Next();
            if (name.Kind == TokenKind.Name)
                return new Attribute(node, name.Text);
            if (name is not { Kind: TokenKind.Number, Value: System.Numerics.BigInteger })
                throw Wrong("expected name or number", name.Line);
            return new Subscript(node, new Constant(name.Value));
        }

        Next();
        var keys = new List<Expression>();
        while (!Current.Is("]"))
        {
            if (keys.Count > 0)
                ExpectOperator(",");
            keys.Add(Key());
        }

        Next();
        return new Subscript(node, keys.Count == 1 ? keys[0] : new Items(keys, isTuple: true));
    }

    private Expression Key()
    {
        Expression? start = null, stop = null, step = null;
        if (!Current.Is(":"))
        {
            start = Expr();
            if (!Current.Is(":"))
                return start;
        }

        Next();
        if (!Current.Is(":") && !Current.Is("]") && !Current.Is(","))
            stop = Expr();
        if (Skip(":") && !Current.Is("]") && !Current.Is(","))
            step = Expr();
        return new SliceExpression(start, stop, step);
    }

    private ArgumentList CallArguments()
    {
        int line = Current.Line;
        var positional = new List<Expression>();
        var named = new List<(string, Expression)>();
        Expression? rest = null, namedRest = null;
        ExpectOperator("(");
        bool needsComma = false;
        while (!Current.Is(")"))
        {
            if (needsComma)
            {
                ExpectOperator(",");
                if (Current.Is(")"))
                    break;
            }

            if (Skip("*"))
            {
                Ensure(rest is null && namedRest is null);
                rest = Expr();
            }
            else if (Skip("**"))
            {
                Ensure(namedRest is null);
                namedRest = Expr();
            }
            else if (Current.Kind == TokenKind.Name && _tokens[_at + 1].Is("="))
            {
                Ensure(namedRest is null);
                string name = Next().Text;
                Next();
                if (named.Exists(pair => pair.Item1 == name))
                    throw new TemplateException("SyntaxError", $"keyword argument repeated: {name}", line);
                named.Add((name, Expr()));
            }
            else
            {
                Ensure(rest is null && namedRest is null && named.Count == 0);
                positional.Add(Expr());
            }

            needsComma = true;
        }

        ExpectOperator(")");
        return new ArgumentList(positional, named, rest, namedRest);

        void Ensure(bool holds)
        {
            if (!holds)
                throw Wrong("invalid syntax for function call expression", line);
        }
    }

    private Expression Filter(Expression? node, bool startsInline = false)
    {
        for (int count = 0; startsInline || Current.Is("|"); count++)
        {
            if (!startsInline)
                Next();
            (string name, int line) = DottedName();
            if (!Filters.Exists(name))
                _unknown.Add(("filter", name, line));
            node = new FilterExpression(Chained(node, count), name, Current.Is("(") ? CallArguments() : ArgumentList.None);
            startsInline = false;
        }

        return node!;
    }

    private Expression Test(Expression node)
    {
        Next();
        bool isNegated = SkipName("not");
        (string name, int line) = DottedName();
        if (!TemplateTests.Exists(name))
            _unknown.Add(("test", name, line));
        ArgumentList arguments = ArgumentList.None;
        if (Current.Is("("))
        {
            arguments = CallArguments();
        }
        else if ((Current.Kind is TokenKind.Name or TokenKind.String or TokenKind.Number || Current.Is("[") || Current.Is("{"))
            && !Current.IsName("else") && !Current.IsName("or") && !Current.IsName("and"))
        {
            if (Current.IsName("is"))
                throw Wrong("You cannot chain multiple tests with is", Current.Line);
            arguments = new ArgumentList([Postfix(Primary())], [], null, null);
        }

        var test = new TestExpression(node, name, arguments);
        return isNegated ? new Not(test) : test;
    }

    private (string Name, int Line) DottedName()
    {
        TemplateToken first = ExpectKind(TokenKind.Name, "name");
        string name = first.Text;
        while (Skip("."))
            name += "." + ExpectKind(TokenKind.Name, "name").Text;
        return (name, first.Line);
    }
}
