using Puna.Safety.CodeScan;

namespace Puna.Safety.Tests.CodeScan;

public sealed class CodeCommentsTests
{
    [Theory]
    [InlineData(CodeLanguage.Python, "a = '#' # b\nc", "a = '#'    \nc")]
    [InlineData(CodeLanguage.Python, "def f():\n    \"\"\"eval(x)\n    y\"\"\"\n    z", "def f():\n              \n        \n    z")]
    [InlineData(CodeLanguage.Python, "q = \"\"\"a # b\"\"\"", "q = \"\"\"a # b\"\"\"")]
    [InlineData(CodeLanguage.Python, "a = 'it\\'s' # b", "a = 'it\\'s'    ")]
    [InlineData(CodeLanguage.C, "a; // b\nc; /* d\ne */ f;", "a;     \nc;     \n     f;")]
    [InlineData(CodeLanguage.C, "s = \"//\"; // b", "s = \"//\";     ")]
    [InlineData(CodeLanguage.C, "a /* b", "a     ")]
    [InlineData(CodeLanguage.CSharp, "@\"C:\\\" + a // b", "@\"C:\\\" + a     ")]
    [InlineData(CodeLanguage.JavaScript, "`//${a}`; // b", "`//${a}`;     ")]
    [InlineData(CodeLanguage.JavaScript, "/^https?:\\/\\//.test(a)", "/^https?:\\/\\//.test(a)")]
    [InlineData(CodeLanguage.Sql, "a '--' -- b", "a '--'     ")]
    [InlineData(CodeLanguage.Shell, "a # b\n$# c'#'", "a    \n$# c'#'")]
    [InlineData(CodeLanguage.Shell, "a 'x\\' # b", "a 'x\\'    ")]
    public void CommentsAreBlanked(CodeLanguage language, string code, string expected) => Assert.Equal(expected, CodeComments.Blank(code, language));
}
