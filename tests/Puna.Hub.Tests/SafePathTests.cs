namespace Puna.Hub.Tests;

public class SafePathTests
{
    [Theory]
    [InlineData("config.json")]
    [InlineData("original/consolidated.00.pth")]
    [InlineData("a/b/c/d.gguf")]
    [InlineData(".gitattributes")]
    [InlineData("..gguf")]
    [InlineData("a...b")]
    [InlineData("100%2e%2e.gguf")]
    [InlineData("console.json")]
    [InlineData("com.gguf")]
    [InlineData("llama 3.gguf")]
    [InlineData("ラマ.gguf")]
    [InlineData("🦙.gguf")]
    public void TakesOrdinaryNames(string path) => Assert.Null(SafePath.Problem(path));

    [Theory]
    [InlineData("")]
    [InlineData("/etc/passwd")]
    [InlineData("//host/share")]
    [InlineData("\\\\host\\share")]
    [InlineData("a\\..\\b")]
    [InlineData("C:model")]
    [InlineData("c:/model")]
    [InlineData("..")]
    [InlineData("../x")]
    [InlineData("a/../../x")]
    [InlineData("a/..")]
    [InlineData("./x")]
    [InlineData("a/./x")]
    [InlineData("a//x")]
    [InlineData("a/")]
    [InlineData("x\0.gguf")]
    [InlineData("x\u001b[2J.gguf")]
    [InlineData("x\u0085")]
    [InlineData("x\u2028y")]
    [InlineData("x\u202egnp.gguf")]
    public void KnowsNamesThatEscape(string path)
    {
        Assert.NotNull(SafePath.Escape(path));
        Assert.NotNull(SafePath.Problem(path));
    }

    // Not in InlineData: a lone surrogate does not survive being written to metadata.
    [Fact]
    public void KnowsInvalidUnicode()
    {
        Assert.NotNull(SafePath.Escape("x\ud800.gguf"));
        Assert.NotNull(SafePath.Escape("x\udc00\ud800.gguf"));
        Assert.NotNull(SafePath.Escape("\ud800"));
    }

    [Theory]
    [InlineData("con")]
    [InlineData("CON.json")]
    [InlineData("a/nul.gguf/b")]
    [InlineData("aux .txt")]
    [InlineData("com1")]
    [InlineData("LPT9.safetensors")]
    [InlineData("COM\u00b2")]
    [InlineData("conin$")]
    [InlineData("ab:c")]
    [InlineData("model.gguf:stream")]
    [InlineData("what?.gguf")]
    [InlineData("a|b")]
    [InlineData("x.")]
    [InlineData("x ")]
    [InlineData(" x")]
    [InlineData("a./b")]
    [InlineData("model.gguf.partial")]
    [InlineData("model.gguf.PARTIAL.json")]
    public void KnowsNamesThatAreNotFilesEverywhere(string path)
    {
        Assert.NotNull(SafePath.Problem(path));
        Assert.Null(SafePath.Escape(path));
    }

    [Fact]
    public void LimitsLengths()
    {
        Assert.Null(SafePath.Problem(new string('x', 220)));
        Assert.NotNull(SafePath.Problem(new string('x', 221)));
        Assert.NotNull(SafePath.Problem(new string('ラ', 100)));
        Assert.NotNull(SafePath.Escape(string.Join('/', Enumerable.Repeat("x", 300))));
    }
}
