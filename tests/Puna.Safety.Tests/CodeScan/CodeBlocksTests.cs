using Puna.Safety.CodeScan;

namespace Puna.Safety.Tests.CodeScan;

public sealed class CodeBlocksTests
{
    [Fact]
    public void BlocksComeWithTagAndLine()
    {
        IReadOnlyList<CodeBlock> blocks = CodeBlocks.Extract("Text\n```python\na = 1\nb = 2\n```\nmore\r\n~~~ C title=\"x\"\r\nint a;\r\n~~~\n");
        Assert.Equal([new CodeBlock("python", "a = 1\nb = 2\n", 3), new CodeBlock("C", "int a;\n", 8)], blocks);
    }

    [Theory]
    [InlineData("```py\nx", "py", "x\n")] // not closed: a reply that was cut off
    [InlineData("````md\n```\nx\n```\n````", "md", "```\nx\n```\n")] // a longer fence holds shorter ones
    [InlineData("1. Do\n\n   ```sh\n   ls\n   ```", "sh", "   ls\n")] // in a list
    [InlineData("> ```js\n> f()\n> ```", "js", "> f()\n")] // in a quote
    [InlineData("```{.python}\nx\n```", "python", "x\n")]
    [InlineData("```\nx\n```", "", "x\n")]
    [InlineData("~~~sql\n```\n~~~", "sql", "```\n")]
    [InlineData("```sql\n~~~\n```", "sql", "~~~\n")]
    public void Fences(string markdown, string tag, string code)
    {
        CodeBlock block = Assert.Single(CodeBlocks.Extract(markdown));
        Assert.Equal((tag, code), (block.Tag, block.Code));
    }

    [Theory]
    [InlineData("")]
    [InlineData("no code")]
    [InlineData("a `gets(x)` and ``` in a line ```")]
    [InlineData("```gets(x)```")]
    public void WhatIsNoBlock(string markdown) => Assert.Empty(CodeBlocks.Extract(markdown));
}
