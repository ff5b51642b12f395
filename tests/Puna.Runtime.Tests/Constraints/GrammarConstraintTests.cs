using Puna.Runtime.Constraints;
using Puna.Tensors;

namespace Puna.Runtime.Tests.Constraints;

public sealed class GrammarConstraintTests
{
    [Theory]
    [InlineData("root ::= \"a\" \"b\"* | [0-9]+", new[] { "a", "abb", "12" }, new[] { "", "b", "a1" })]
    [InlineData("root ::= \"(\" root \")\" | \"x\"", new[] { "x", "((x))" }, new[] { "(x", "x)", "()" })]
    [InlineData("# sums\nroot ::= term (\"+\" term){0,2}\nterm ::= [a-c]  # a letter\n  | \"1\"\n", new[] { "a", "a+1", "a+b+c" }, new[] { "a+", "a+b+c+a" })]
    [InlineData("root ::= [^\"\\\\\\x00-\\x1F] \"\\u00e9\"?", new[] { "日é", "a" }, new[] { "\"", "\n", "aa" })]
    [InlineData("root ::= (\n  \"a\"\n  | item\n)\nitem ::= . \"z\"", new[] { "a", "😀z" }, new[] { "z", "az " })]
    [InlineData("root = \"a\"{2} ;", new[] { "aa" }, new[] { "a", "aaa" })]
    public void AcceptsWhatTheGrammarProduces(string grammar, string[] accepted, string[] rejected)
    {
        GrammarConstraint constraint = ConstraintChecks.Grammar(grammar);
        Assert.All(accepted, text => Assert.True(ConstraintChecks.Accepts(constraint, text), text));
        Assert.All(rejected, text => Assert.False(ConstraintChecks.Accepts(constraint, text), text));
    }

    [Theory]
    [InlineData("root ::= root \"a\" | \"b\"", "left recursion")]
    [InlineData("root ::= (\"a\"?)*", "left recursion")]
    [InlineData("root ::= item", "item")]
    [InlineData("item ::= \"a\"", "root")]
    [InlineData("root ::= \"a", "\"")]
    [InlineData("root ::= (\"a\"", ")")]
    [InlineData("root ::= \"a\" root", "no")]
    [InlineData("root ::= \"\\q\"", "escape")]
    [InlineData("root ::= \"a\"{3,1}", "order")]
    [InlineData("root ::= \"a\"{1000000000}", "symbols")]
    [InlineData("root ::= \"a\"\nroot ::= \"b\"", "two")]
    public void OthersAreRefusedByName(string grammar, string name) =>
        Assert.Contains(name, Assert.Throws<PunaException>(() => ConstraintChecks.Grammar(grammar)).Message, StringComparison.Ordinal);
}
