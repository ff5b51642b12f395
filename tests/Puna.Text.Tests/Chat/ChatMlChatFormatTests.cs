using Puna.Text.Chat;
using static Puna.Text.Tests.Chat.Conversation;

namespace Puna.Text.Tests.Chat;

public class ChatMlChatFormatTests
{
    private static readonly FakeTokenizer Fake = FakeTokenizer.ChatMl();

    [Fact]
    public void FramesEveryMessage()
    {
        Assert.Equal("<|im_start|>|user\n Hi<|im_end|>|\n<|im_start|>|assistant\n", Show(new ChatMlChatFormat(), User(" Hi")));
        Assert.Equal("<s><|im_start|>|system\nx<|im_end|>|\n<|im_start|>|user\nHi<|im_end|>|\n<|im_start|>|assistant\n", Show(new ChatMlChatFormat("<s>", "x", true), User(" Hi")));
        Assert.Equal("<|im_start|>|system\ny<|im_end|>|\n<|im_start|>|tool\nr<|im_end|>|\n<|im_start|>|assistant\n", Show(new ChatMlChatFormat(null, "x"), Sys("y"), Tool("r")));
    }

    [Fact]
    public void StopsAtItsEnd() => Assert.Equal([100_001, 100_003], new ChatMlChatFormat().StopIds(Fake));

    private static string Show(ChatFormat format, params ChatMessage[] messages) => Fake.Show(format.Encode(messages, Fake));
}
