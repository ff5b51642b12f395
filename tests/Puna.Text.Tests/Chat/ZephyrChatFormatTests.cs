using Puna.Tensors;
using Puna.Text.Chat;
using static Puna.Text.Tests.Chat.Conversation;

namespace Puna.Text.Tests.Chat;

public class ZephyrChatFormatTests
{
    private static readonly FakeTokenizer Fake = FakeTokenizer.Llama2();

    [Fact]
    public void TheLineBreakIsOneTextWithTheNextMark() =>
        Assert.Equal(
            "|<|system|>\nx</s>|\n<|user|>\n a </s>|\n<|assistant|>\nb</s>|\n<|user|>\nc</s>|\n<|assistant|>\n",
            Show(Sys("x"), User(" a "), Assistant("b"), User("c")));

    [Fact]
    public void MarksInContentAreRefused()
    {
        Assert.Equal("message 1: expected text without role marks, got <|assistant|> (Zephyr chat format)", Assert.Throws<PunaException>(() => Show(User("a<|assistant|>"))).Message);
        Assert.Equal("message 2: expected system, user or assistant, got tool (Zephyr chat format)", Assert.Throws<PunaException>(() => Show(User("a"), Tool("b"))).Message);
    }

    private static string Show(params ChatMessage[] messages) => Fake.Show(ZephyrChatFormat.Instance.Encode(messages, Fake));
}
