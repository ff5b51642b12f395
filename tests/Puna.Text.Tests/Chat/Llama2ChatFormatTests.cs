using Puna.Tensors;
using Puna.Text.Chat;
using static Puna.Text.Tests.Chat.Conversation;

namespace Puna.Text.Tests.Chat;

public class Llama2ChatFormatTests
{
    private static readonly FakeTokenizer Fake = FakeTokenizer.Llama2();

    [Fact]
    public void PairsAreOneTextWithASpaceBeforeTheEnd()
    {
        Assert.Equal("<s>|[INST] Hi [/INST]", Show(User("Hi")));
        Assert.Equal("<s>|[INST] Hi [/INST] Hello! </s><s>|[INST] Bye [/INST]", Show(User("Hi"), Assistant("Hello!"), User("Bye")));
        Assert.Equal("<s>|[INST] Hi [/INST]  </s><s>|[INST]  [/INST]", Show(User("Hi"), Assistant(" "), User("")));
    }

    [Fact]
    public void TheSystemMessageIsFoldedIntoTheFirstUserMessageAndStrippedWithIt()
    {
        Assert.Equal("<s>|[INST] <<SYS>>\nYou are helpful.\n<</SYS>>\n\nHi [/INST]", Show(Sys("You are helpful."), User("Hi")));
        Assert.Equal("<s>|[INST] <<SYS>>\n x \n<</SYS>>\n\n y [/INST]", Show(Sys(" x "), User(" y \n\u001f\u00a0")));
        Assert.Equal("<s>|[INST] <<SYS>>\nx\n<</SYS>>\n\na [/INST] b </s><s>|[INST] c [/INST]", Show(Sys("x"), User("a"), Assistant(" b"), User("c ")));
    }

    [Fact]
    public void TagsInContentAreRefusedWithTheReferencesText()
    {
        foreach (string tag in (string[])["[INST]", "[/INST]", "<<SYS>>", "<</SYS>>"])
        {
            string message = Assert.Throws<PunaException>(() => Show(Sys("x"), User("a" + tag + "b"))).Message;
            Assert.Equal($"Error: special tags are not allowed as part of the prompt. (message 2, user: {tag})", message);
            Assert.Throws<PunaException>(() => Show(Sys(tag), User("b")));
            Assert.Throws<PunaException>(() => Show(User("b"), Assistant(tag), User("c")));
        }

        Assert.Equal("<s>|[INST] <step> [/INST]", Show(User("<step>")));
        Assert.StartsWith(Llama2ChatFormat.SpecialTagsError, Assert.Throws<PunaException>(() => Llama2ChatFormat.CodeLlama.Encode([User("<step>")], Fake)).Message, StringComparison.Ordinal);
        Assert.Equal("<s>|[INST] <s></s> [/INST]", Show(User("<s></s>")));
    }

    [Fact]
    public void RolesMustTakeTurns()
    {
        Assert.Equal("message 1: expected user, got assistant (Llama 2 chat format)", Refused(Assistant("x")));
        Assert.Equal("message 2: expected assistant, got user (Llama 2 chat format)", Refused(User("x"), User("y")));
        Assert.Equal("message 3: expected assistant, got system (Llama 2 chat format)", Refused(Sys("x"), User("y"), Sys("z")));
        Assert.Equal("message 2: expected user, got none (Llama 2 chat format)", Refused(Sys("x")));
        Assert.Equal("message 2: expected user, got assistant (Llama 2 chat format)", Refused(Sys("x"), Assistant("y")));
        Assert.Equal("message 3: expected user, got none (Llama 2 chat format)", Refused(User("x"), Assistant("y")));
        Assert.Equal("message 2: expected assistant, got tool (Llama 2 chat format)", Refused(User("x"), Tool("y")));
        Assert.Equal("messages: expected at least one, got none (Llama 2 chat format)", Refused());
        Assert.Equal("message 1: expected no context, got some (Llama 2 chat format)", Refused(User("x") with { Context = "y" }));
        Assert.Equal("<s>|[INST] x [/INST] y </s>", Fake.Show(Llama2ChatFormat.Llama2.Encode([User("x"), Assistant("y")], Fake, addGenerationPrompt: false)));
    }

    [Fact]
    public void StopsAtTheEndOfText() => Assert.Equal([100_001], Llama2ChatFormat.Llama2.StopIds(Fake));

    private static string Show(params ChatMessage[] messages) => Fake.Show(Llama2ChatFormat.Llama2.Encode(messages, Fake));

    private static string Refused(params ChatMessage[] messages) => Assert.Throws<PunaException>(() => Show(messages)).Message;
}
