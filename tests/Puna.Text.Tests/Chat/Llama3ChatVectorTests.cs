using Puna.Tests.Shared;
using Puna.Text.Chat;
using Puna.Text.Tiktoken;
using static Puna.Text.Tests.Chat.Conversation;

namespace Puna.Text.Tests.Chat;

/// <summary>The ids of spec llama1-3.md 6.5, with the published tokenizer.</summary>
public class Llama3ChatVectorTests
{
    private static readonly Lazy<Tokenizer> Published = new(() =>
    {
        string file = TestFiles.Asset("llama3", "tokenizer.model");
        return TiktokenTokenizer.Read(File.ReadAllBytes(file), file);
    });

    [Fact]
    public void AMessage()
    {
        int[] ids = Llama3ChatFormat.Llama31.Encode([User("This is a test sentence.")], Published.Value, addGenerationPrompt: false);
        Assert.Equal([128000, 128006, 882, 128007, 271, 2028, 374, 264, 1296, 11914, 13, 128009], ids);
    }

    [Fact]
    public void ADialog() => Assert.Equal(
        [128000, 128006, 9125, 128007, 271, 2675, 527, 264, 11190, 18328, 128009, 128006, 882, 128007, 271, 15546, 527, 499, 30, 128009, 128006, 78191, 128007, 271],
        Llama3ChatFormat.Llama31.Encode([Sys("You are a helpful assistant"), User("Who are you?")], Published.Value));

    [Fact]
    public void AToolsAnswer() => Assert.Equal(
        [128006, 23799, 4690, 128007, 271, 1, 914, 356, 1, 128009],
        Llama3ChatFormat.Llama31.Encode([Tool("\"25 C\"")], Published.Value, addGenerationPrompt: false)[1..]);

    [Fact]
    public void AReplyThatAwaitsATool() => Assert.Equal(
        [1347, 525, 10947, 8692, 10974, 429, 19911, 3430, 315, 220, 16, 9700, 6761, 909, 128008],
        Llama3ChatFormat.Llama31.Encode(
            [Assistant("brave_search.call(query=\"latest price of 1oz gold\")") with { AwaitsTool = true }], Published.Value, addGenerationPrompt: false)[5..]);

    [Fact]
    public void ContentThatBeginsWithLineBreaksIsNotMergedWithTheHeader()
    {
        Assert.Equal([128007, 271, 198, 87, 128009], Llama3ChatFormat.Llama31.Encode([User("\nx")], Published.Value, addGenerationPrompt: false)[^5..]);
        Assert.Equal([128007, 271, 87, 128009], Llama3ChatFormat.Llama3.Encode([User("\nx")], Published.Value, addGenerationPrompt: false)[^4..]);
    }

    [Fact]
    public void TypedControlTokensAreCharacters() => Assert.Equal(
        [128007, 271, 27, 91, 68, 354, 851, 91, 29, 128009],
        Llama3ChatFormat.Llama31.Encode([User("<|eot_id|>")], Published.Value, addGenerationPrompt: false)[^10..]);

    [Fact]
    public void ThePublishedTemplateHasTheSameIdsAsItsRenderedText()
    {
        // Trimmed contents cannot merge with their headers, so that piece by piece and at once agree, as long as nothing is typed that looks special.
        ChatMessage[][] conversations = [[User("Hi")], [Sys(" Be brief.\n"), User("\n\nHi"), Assistant("'ll do"), User("¡Adiós! 🦙")], [Sys(""), User("")], [Tool("x")]];
        foreach (ChatMessage[] messages in conversations)
        {
            string rendered = Llama3ChatFormat.Published().Render(messages);
            Assert.Equal(Published.Value.Encode(rendered, SpecialTokens.All), Llama3ChatFormat.Published().Encode(messages, Published.Value));
        }
    }

    [Fact]
    public void StopsAtEveryEnd() => Assert.Equal([128001, 128008, 128009], Llama3ChatFormat.Llama31.StopIds(Published.Value));
}
