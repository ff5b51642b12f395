using Puna.Formats.Gguf;
using Puna.Tensors;
using Puna.Text.Chat;

namespace Puna.Text.Tests.Chat;

public class ChatTemplateSetTests
{
    [Fact]
    public void ToolsHaveTheTemplateThatIsNamedForThem()
    {
        var both = new ChatTemplateSet([new("default", "d"), new("tool_use", "t"), new("rag", "r")]);
        Assert.Equal(("d", "t"), (both.For(hasTools: false), both.For(hasTools: true)));
        Assert.Equal(("d", "d"), (ChatTemplateSet.Of("d").For(hasTools: false), ChatTemplateSet.Of("d").For(hasTools: true)));
        var one = new ChatTemplateSet([new("tool_use", "t")]);
        Assert.Equal((null, "t"), (one.For(hasTools: false), one.For(hasTools: true)));
        Assert.Empty(ChatTemplateSet.Of(null).ByName);
    }

    // The keys and the letters of names are those of the gguf package, which llama.cpp reads.
    [Fact]
    public void GgufHasAKeyPerName()
    {
        var metadata = new GgufMetadata();
        new ChatTemplateSet([new("tool_use", "t"), new("default", "d"), new("my-rag", "r"), new("", "none")]).Write(metadata);
        Assert.Equal("d", metadata.GetString("tokenizer.chat_template"));
        Assert.Equal("t", metadata.GetString("tokenizer.chat_template.tool_use"));
        Assert.Equal("r", metadata.GetString("tokenizer.chat_template.my_rag"));
        Assert.Equal(["tool_use", "my_rag"], metadata.GetStrings("tokenizer.chat_templates")!);
        Assert.Equal(4, metadata.Count);
        Assert.Equal(
            [new("default", "d"), new("tool_use", "t"), new("my_rag", "r")], ChatTemplateSet.Read(metadata).ByName);

        var plain = new GgufMetadata();
        ChatTemplateSet.Of("d").Write(plain);
        Assert.Equal(["tokenizer.chat_template"], plain.Select(static pair => pair.Key));
        Assert.Equal([new("default", "d")], ChatTemplateSet.Read(plain).ByName);
        Assert.Empty(ChatTemplateSet.Read(new GgufMetadata()).ByName);
    }

    [Fact]
    public void KeysOfOtherTypesAreErrors()
    {
        var metadata = new GgufMetadata("m.gguf");
        metadata.Set("tokenizer.chat_template.tool_use", 5);
        Assert.Contains("metadata tokenizer.chat_template.tool_use: expected a string, got Int32", Assert.Throws<FileFormatException>(() => ChatTemplateSet.Read(metadata)).Message, StringComparison.Ordinal);
    }
}
