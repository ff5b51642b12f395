using Puna.Tensors;
using Puna.Text.Chat;

namespace Puna.Text.Tests.Chat;

public sealed class ChatTemplateFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("puna-chat").FullName;

    public void Dispose() => Directory.Delete(_folder, true);

    [Fact]
    public void LooksInAllThreePlaces()
    {
        Assert.Null(ChatTemplateFile.Find(_folder));
        Write("chat_template.json", """{"chat_template":"third"}""");
        Assert.Equal("third", ChatTemplateFile.Find(_folder));
        Write("tokenizer_config.json", """{"chat_template":null,"model_max_length":1e30}""");
        Assert.Equal("third", ChatTemplateFile.Find(_folder));
        Write("tokenizer_config.json", "\ufeff" + """{"chat_template":"second\n"}""");
        Assert.Equal("second\n", ChatTemplateFile.Find(_folder));
        Write("tokenizer_config.json", """{"chat_template":[{"name":"tool_use","template":"x"},{"name":"default","template":"named"}]}""");
        Assert.Equal("named", ChatTemplateFile.Find(_folder));
        Write("chat_template.jinja", "first\n");
        Assert.Equal("first\n", ChatTemplateFile.Find(_folder));
    }

    [Fact]
    public void NamedTemplatesAreFoundInAListAndInAFolder()
    {
        Write("tokenizer_config.json", """{"chat_template":[{"name":"tool_use","template":"old"},{"name":"default","template":"d"},{"name":"rag","template":"r"},{"name":"tool_use","template":"t"}]}""");
        Assert.Equal([new("tool_use", "t"), new("default", "d"), new("rag", "r")], ChatTemplateFile.FindAll(_folder).ByName);
        // Without a default in the newer layout, that of the older one counts.
        Directory.CreateDirectory(Path.Combine(_folder, "additional_chat_templates"));
        Write("additional_chat_templates/tool_use.jinja", "t2\n");
        Write("additional_chat_templates/notes.txt", "no template");
        Assert.Equal([new("tool_use", "t2\n"), new("default", "d"), new("rag", "r")], ChatTemplateFile.FindAll(_folder).ByName);
        Write("chat_template.jinja", "d2");
        Assert.Equal([new("default", "d2"), new("tool_use", "t2\n")], ChatTemplateFile.FindAll(_folder).ByName);
        for (int i = 0; i < 64; i++)
            Write($"additional_chat_templates/{i}.jinja", "x");
        Assert.Contains("additional_chat_templates: expected at most 64 templates, got more", Assert.Throws<FileFormatException>(() => ChatTemplateFile.FindAll(_folder)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("[1]")]
    [InlineData("""{"chat_template":5}""")]
    [InlineData("""{"chat_template":["x"]}""")]
    [InlineData("""{"chat_template":[{"name":1,"template":"x"}]}""")]
    [InlineData("""{"chat_template":[{"name":"default","template":"x"},{"name":"tool_use"}]}""")]
    [InlineData("""{"chat_template":[{"name":"\ud800","template":"x"}]}""")]
    [InlineData("""{"chat_template":"\ud800"}""")]
    [InlineData("""{"chat_template":"x"}}""")]
    public void BadFilesAreNamed(string json)
    {
        Write("tokenizer_config.json", json);
        FileFormatException error = Assert.Throws<FileFormatException>(() => ChatTemplateFile.Find(_folder));
        Assert.Contains("tokenizer_config.json", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Fact]
    public void DeepAndLongFilesAreErrors()
    {
        Write("tokenizer_config.json", new string('[', 100_000));
        Assert.Throws<FileFormatException>(() => ChatTemplateFile.Find(_folder));
        using (FileStream file = File.Create(Path.Combine(_folder, "tokenizer_config.json")))
            file.SetLength(20 << 20);
        Assert.Throws<FileFormatException>(() => ChatTemplateFile.Find(_folder));
    }

    private void Write(string name, string text) => File.WriteAllText(Path.Combine(_folder, name), text);
}
