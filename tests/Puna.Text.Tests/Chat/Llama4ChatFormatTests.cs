using Puna.Tests.Shared;
using Puna.Text.Chat;
using static Puna.Text.Tests.Chat.Conversation;

namespace Puna.Text.Tests.Chat;

public class Llama4ChatFormatTests
{
    private static readonly FakeTokenizer Fake = FakeTokenizer.Create("<|begin_of_text|>", "<|end_of_text|>", "<|header_start|>", "<|header_end|>", "<|eot|>", "<|eom|>");

    // Spec llama4.md 7.1.
    [Fact]
    public void TheFrame()
    {
        ChatMessage[] messages = [Sys(" s "), User("u <|eot|>") with { Context = "c" }, Assistant("a") with { AwaitsTool = true }, Tool("t")];
        Assert.Equal(
            "<|begin_of_text|><|header_start|>|system<|header_end|>|\n\n| s <|eot|><|header_start|>|user<|header_end|>|\n\n|u <|eot|>|\n\n|c<|eot|>"
            + "<|header_start|>|assistant<|header_end|>|\n\n|a<|eom|><|header_start|>|ipython<|header_end|>|\n\n|t<|eom|><|header_start|>|assistant<|header_end|>|\n\n",
            Fake.Show(Llama4ChatFormat.Instance.Encode(messages, Fake)));
        Assert.Equal([100_001, 100_004, 100_005], Llama4ChatFormat.Instance.StopIds(Fake));
        // What is typed is not a token: the end of the turn is there once.
        int[] ids = Llama4ChatFormat.Instance.Encode([User("<|eot|>")], Fake);
        Assert.Single(ids, 100_004);
    }

    // Spec llama4.md 11, with the published tokenizer.
    [Fact]
    public void ThePublishedDialog()
    {
        Tokenizer published = TokenizerLoader.Open(TestFiles.Asset("llama4", "tokenizer.model"));
        int[] ids = Llama4ChatFormat.Instance.Encode([Sys("You are a helpful assistant"), User("Answer who are you in the form of jeopardy?")], published);
        Assert.Equal(
            [200000, 200005, 15651, 200006, 368, 4662, 583, 262, 19933, 43910, 200008, 200005, 1556, 200006, 368, 4984, 2117, 583, 650, 310, 290, 1075, 323, 1997, 153495, 43, 200008, 200005, 140680, 200006, 368],
            ids);
    }

    [Fact]
    public void IsFoundByName()
    {
        Assert.Same(Llama4ChatFormat.Instance, ChatFormats.Detect(null, Fake, new("Llama-4-Scout-17B-16E-Instruct")).Format);
        Assert.Null(ChatFormats.Detect(null, Fake, new("Llama-4-Scout-17B-16E")).Format);
    }
}
