using Puna.Text.Chat;
using static Puna.Text.Tests.Chat.Conversation;

namespace Puna.Text.Tests.Chat;

public class ChatFormatTests
{
    public static TheoryData<string> Names => ["Llama 2", "Code Llama 70B", "Llama 3", "Llama 3.1", "Llama 3.1 (published template)", "ChatML", "Zephyr"];

    [Theory]
    [MemberData(nameof(Names))]
    public void ATurnAtATimeGivesTheIdsOfTheWhole(string name)
    {
        (ChatFormat format, FakeTokenizer tokenizer) = Get(name);
        Assert.Equal(name, format.Name);
        ChatMessage[] messages = [Sys("s"), User("a"), Assistant("b"), User("c"), Assistant("d"), User("e")];
        foreach (ChatMessage[] all in (ChatMessage[][])[messages, messages[1..]])
        {
            for (int known = 1; known < all.Length; known++)
            {
                if (all[known - 1].Role != ChatRole.Assistant)
                    continue;
                int[] before = format.Encode(all[..known], tokenizer, addGenerationPrompt: false);
                int[] next = format.EncodeNext(all, known, tokenizer);
                // What the model has seen ends with the token that ended its reply; a line break after it, where there is one, comes with the next turn.
                int end = Array.FindLastIndex(before, id => format.StopIds(tokenizer).Contains(id)) + 1;
                Assert.Equal(tokenizer.Show(format.Encode(all, tokenizer)), tokenizer.Show(before.Take(end).Concat(next)));
            }
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void RenderingIsWhatTheIdsSay(string name)
    {
        (ChatFormat format, FakeTokenizer tokenizer) = Get(name);
        ChatMessage[] messages = [Sys("s"), User("a"), Assistant(" b "), User("c\n")];
        Assert.Equal(format.Render(messages), tokenizer.Show(format.Encode(messages, tokenizer), border: ""));
    }

    [Fact]
    public void OnlyRepliesCanBeContinued()
    {
        (ChatFormat format, FakeTokenizer tokenizer) = Get("Llama 3");
        Assert.Throws<ArgumentException>(() => format.EncodeNext([User("a"), User("b")], 1, tokenizer));
        Assert.Throws<ArgumentOutOfRangeException>(() => format.EncodeNext([Assistant("a")], 2, tokenizer));
        Assert.Throws<ArgumentOutOfRangeException>(() => format.EncodeNext([Assistant("a")], 0, tokenizer));
    }

    private static (ChatFormat Format, FakeTokenizer Tokenizer) Get(string name) => name switch
    {
        "Llama 2" => (Llama2ChatFormat.Llama2, FakeTokenizer.Llama2()),
        "Code Llama 70B" => (CodeLlama70BChatFormat.Instance, FakeTokenizer.CodeLlama70B()),
        "Llama 3" => (Llama3ChatFormat.Llama3, FakeTokenizer.Llama3()),
        "Llama 3.1" => (Llama3ChatFormat.Llama31, FakeTokenizer.Llama3()),
        "Llama 3.1 (published template)" => (Llama3ChatFormat.Published(), FakeTokenizer.Llama3()),
        "ChatML" => (new ChatMlChatFormat("<s>", "preset"), FakeTokenizer.ChatMl()),
        _ => (ZephyrChatFormat.Instance, FakeTokenizer.Llama2()),
    };
}
