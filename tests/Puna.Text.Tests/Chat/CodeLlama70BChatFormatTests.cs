using Puna.Tensors;
using Puna.Text.Chat;
using static Puna.Text.Tests.Chat.Conversation;

namespace Puna.Text.Tests.Chat;

public class CodeLlama70BChatFormatTests
{
    private const string Reply = "| Source: assistant\nDestination: user|\n\n ";
    private static readonly FakeTokenizer Fake = FakeTokenizer.CodeLlama70B();

    [Fact]
    public void EveryHeaderAndContentIsATextOfItsOwn()
    {
        Assert.Equal("<s>| Source: system|\n\n Be brief.<step>| Source: user|\n\n Hi<step>" + Reply, Show(Sys(" Be brief. "), User("Hi\n")));
        Assert.Equal(
            "<s>| Source: system<step>| Source: user|\n\n Hi<step>| Source: assistant\nDestination: user|\n\n Yes<step>| Source: user|\n\n Go<step>" + Reply,
            Show(User("Hi"), Assistant("Yes") with { Destination = " user " }, User("Go")));
    }

    [Fact]
    public void AMissingSystemMessageIsAddedAndEmptyContentHasNoBody()
    {
        Assert.Equal("<s>| Source: system<step>| Source: user<step>" + Reply, Show(User("")));
        Assert.Equal("<s>| Source: system<step>| Source: user|\n\n <step>" + Reply, Show(Sys(""), User(" ")));
    }

    [Fact]
    public void BadConversationsAreRefused()
    {
        Assert.StartsWith(Llama2ChatFormat.SpecialTagsError, Refused(User("a <step> b")), StringComparison.Ordinal);
        Assert.StartsWith(Llama2ChatFormat.SpecialTagsError, Refused(User("[INST]")), StringComparison.Ordinal);
        Assert.Equal("message 2: expected assistant, got user (Code Llama 70B chat format)", Refused(User("a"), User("b")));
        Assert.Equal("message 3: expected user, got none (Code Llama 70B chat format)", Refused(User("a"), Assistant("b")));
        Assert.Equal("message 2: expected user, got none (Code Llama 70B chat format)", Refused(Sys("a")));
        Assert.Equal(
            "tokenizer: expected a token <step>, got none (Code Llama 70B chat format)",
            Assert.Throws<PunaException>(() => CodeLlama70BChatFormat.Instance.Encode([User("a")], FakeTokenizer.Llama2())).Message);
    }

    [Fact]
    public void StopsAtStep() => Assert.Equal([100_001, 100_002], CodeLlama70BChatFormat.Instance.StopIds(Fake));

    private static string Show(params ChatMessage[] messages) => Fake.Show(CodeLlama70BChatFormat.Instance.Encode(messages, Fake));

    private static string Refused(params ChatMessage[] messages) => Assert.Throws<PunaException>(() => Show(messages)).Message;
}
