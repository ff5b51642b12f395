using Puna.Tensors;

namespace Puna.Hub.Tests;

public class ModelReferenceTests
{
    [Theory]
    [InlineData("owner/name", "owner", "name", "main", null)]
    [InlineData("meta-llama/Llama-3.2-1B", "meta-llama", "Llama-3.2-1B", "main", null)]
    [InlineData("a/b", "a", "b", "main", null)]
    [InlineData("owner/name@v1.0", "owner", "name", "v1.0", null)]
    [InlineData("owner/name@refs/pr/1", "owner", "name", "refs/pr/1", null)]
    [InlineData("owner/name:model.Q4_K_M.gguf", "owner", "name", "main", "model.Q4_K_M.gguf")]
    [InlineData("owner/name:folder/model.gguf", "owner", "name", "main", "folder/model.gguf")]
    [InlineData("owner/name:original/", "owner", "name", "main", "original")]
    [InlineData("owner/name@dev:model.gguf", "owner", "name", "dev", "model.gguf")]
    [InlineData("owner/name:model.gguf@dev", "owner", "name", "dev", "model.gguf")]
    [InlineData("owner/name@dev:mo@del.gguf", "owner", "name", "dev", "mo@del.gguf")]
    [InlineData("owner/name:файл 1.gguf", "owner", "name", "main", "файл 1.gguf")]
    public void ReadsNames(string text, string owner, string name, string revision, string? file)
    {
        Assert.True(ModelReference.TryParse(text, out ModelReference? reference));
        Assert.Equal((owner, name, revision, file), (reference.Owner, reference.Name, reference.Revision, reference.File));
        Assert.Equal(reference, ModelReference.Parse(reference.ToString()));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("name")]
    [InlineData("/name")]
    [InlineData("owner/")]
    [InlineData("a/b/c")]
    [InlineData("../name")]
    [InlineData("owner/..")]
    [InlineData("./model")]
    [InlineData("~/model")]
    [InlineData("C:/model")]
    [InlineData("C:\\model")]
    [InlineData("owner\\name")]
    [InlineData("owner/na me")]
    [InlineData("owner/na..me")]
    [InlineData("-owner/name")]
    [InlineData("owner/name-")]
    [InlineData("owner/.name")]
    [InlineData("owner/name.")]
    [InlineData("con/name")]
    [InlineData("owner/NUL.gguf")]
    [InlineData("öwner/name")]
    [InlineData("owner/name@")]
    [InlineData("owner/name@a..b/../c")]
    [InlineData("owner/name@/x")]
    [InlineData("owner/name@-x")]
    [InlineData("owner/name@a b")]
    [InlineData("owner/name@a:")]
    [InlineData("owner/name:")]
    [InlineData("owner/name:/")]
    [InlineData("owner/name:/etc/passwd")]
    [InlineData("owner/name:../x.gguf")]
    [InlineData("owner/name:a/../x.gguf")]
    [InlineData("owner/name:a//x.gguf")]
    [InlineData("owner/name:a\\x.gguf")]
    [InlineData("owner/name:C:x.gguf")]
    [InlineData("owner/name:nul")]
    [InlineData("owner/name:x.gguf.partial")]
    [InlineData("owner/name:x\n.gguf")]
    [InlineData("owner/name:x.gguf@")]
    [InlineData("https://huggingface.co/owner/name")]
    public void RefusesEverythingElse(string? text)
    {
        Assert.False(ModelReference.TryParse(text, out ModelReference? reference));
        Assert.Null(reference);
        if (text is not null) Assert.DoesNotContain('\n', Assert.Throws<PunaException>(() => ModelReference.Parse(text)).Message);
    }

    [Fact]
    public void RefusesOverlongNames()
    {
        Assert.True(ModelReference.TryParse(new string('a', 96) + "/" + new string('b', 96), out _));
        Assert.False(ModelReference.TryParse(new string('a', 97) + "/b", out _));
        Assert.False(ModelReference.TryParse("a/b@" + new string('r', 201), out _));
        Assert.False(ModelReference.TryParse("a/b:" + new string('f', 1 << 20), out _));
    }

    [Fact]
    public void SaysWhatIsWrong() => Assert.Equal(
        "model name 'owner/name:../x': expected owner/name, owner/name:file or owner/name@revision:file, but its file name is not allowed: it has a . or .. part",
        Assert.Throws<PunaException>(() => ModelReference.Parse("owner/name:../x")).Message);
}
