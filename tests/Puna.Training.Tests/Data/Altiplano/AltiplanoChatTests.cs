using Puna.Text.Chat;
using Puna.Training.Data.Altiplano;

namespace Puna.Training.Tests.Data.Altiplano;

/// <summary>Replies pass their checks, other replies do not, and what is asked is what is checked.</summary>
public sealed class AltiplanoChatTests
{
    private const string Golden = "03fb226da30c5b340c1b0f7526c0681d09f672447a2637542f9311b98311167c";

    private static readonly AltiplanoConversation[] Chats = [.. Enumerable.Range(0, 4000).Select(static i => AltiplanoChat.Create(1, i))];

    [Fact]
    public void ConversationsAreTheSameEverywhere() =>
        Assert.Equal(Golden, StoryTellerTests.Hash(Enumerable.Range(0, 200).Select(static i => string.Join('\n', AltiplanoChat.Create(7, i).Messages.Select(static m => $"{m.Role}: {m.Content}")))));

    [Fact]
    public void EveryKindOccurs() => Assert.All(Enum.GetValues<ConversationKind>(), static kind => Assert.InRange(Chats.Count(c => c.Kind == kind), 150, 2000));

    [Fact]
    public void RepliesPassTheirChecks()
    {
        foreach (AltiplanoConversation chat in Chats)
        {
            Assert.Equal(ChatRole.Assistant, chat.Messages[^1].Role);
            Assert.Equal(chat.Messages.Count(static m => m.Role == ChatRole.Assistant), chat.Checks.Count);
            foreach (TurnCheck turn in chat.Checks)
            {
                ChatMessage reply = chat.Messages[turn.Message];
                Assert.Equal(ChatRole.Assistant, reply.Role);
                Assert.True(turn.Check.Accepts(reply.Content), $"{chat.Index} {chat.Kind} {turn.Check.Expected}: {reply.Content}");
                Assert.False(turn.Check.Accepts(""), $"{chat.Index} {chat.Kind} accepts silence");
                Assert.False(turn.Check.Accepts("I do not know what zzz means."), $"{chat.Index} {chat.Kind} {turn.Check.Expected}");
            }
        }
    }

    [Fact]
    public void RepliesToOtherQuestionsFail()
    {
        // A reply to another conversation of the same kind is right by chance only: yes for yes, a name for the same name.
        foreach (ConversationKind kind in (ConversationKind[])[ConversationKind.Question, ConversationKind.Sum, ConversationKind.Tool, ConversationKind.Format])
        {
            int wrong = 0, all = 0;
            for (int i = 0; i < 500; i++)
            {
                AltiplanoConversation one = AltiplanoChat.Create(2, i, kind), other = AltiplanoChat.Create(2, i + 1000, kind);
                all++;
                wrong += one.Checks[0].Check.Accepts(other.Messages[other.Checks[0].Message].Content) ? 1 : 0;
            }

            Assert.True(wrong < all / 10, $"{kind}: {wrong} of {all} wrong replies accepted");
        }
    }

    [Fact]
    public void QuestionsSayWhatTheirChecksWant()
    {
        AltiplanoConversation[] tasks = [.. Chats.Where(static c => c.Kind == ConversationKind.Format)];
        string[] json = [.. tasks.Select(static c => c.Messages[0].Content).Where(static text => text.Contains("JSON", StringComparison.Ordinal))];
        Assert.NotEmpty(json);
        Assert.All(json, static text => Assert.EndsWith("with the keys \"name\" and \"colour\".", text, StringComparison.Ordinal));
        string[] capitals = [.. tasks.Select(static c => c.Messages[0].Content).Where(static text => text.Contains("capital letters", StringComparison.Ordinal))];
        Assert.NotEmpty(capitals);
        Assert.All(capitals, static text => Assert.Contains(": ", text, StringComparison.Ordinal));
        Assert.DoesNotContain(Chats, static c => c.Messages.Any(static m => m.Content.Contains("A goat eats", StringComparison.Ordinal) && !Array.Exists(Goods.All, good => good.Use == GoodUse.Fodder && m.Content.Contains(good.Many, StringComparison.Ordinal))));
    }

    [Fact]
    public void PlainSumsAreRight()
    {
        int checkedSums = 0;
        foreach (AltiplanoConversation chat in Chats.Where(static c => c.Kind == ConversationKind.Sum))
        {
            string question = chat.Messages[0].Content.Replace(" = ?", "", StringComparison.Ordinal).TrimEnd('?').Replace("plus", "+", StringComparison.Ordinal).Replace("minus", "-", StringComparison.Ordinal)
                .Replace("times", "*", StringComparison.Ordinal).Replace("What is ", "", StringComparison.Ordinal).Replace("How much is ", "", StringComparison.Ordinal);
            if (Calculator.TryCompute(question, out long result))
            {
                Assert.True(new NumberCheck((int)result).Accepts(chat.Messages[1].Content), $"{question}: {chat.Messages[1].Content}");
                checkedSums++;
            }
        }

        Assert.True(checkedSums > 100, $"{checkedSums}");
    }

    [Fact]
    public void ToolTurnsAreCallResultAnswer()
    {
        foreach (AltiplanoConversation chat in Chats.Where(static c => c.Kind == ConversationKind.Tool))
        {
            Assert.Equal([ChatRole.System, ChatRole.User, ChatRole.Assistant, ChatRole.Tool, ChatRole.Assistant], chat.Messages.Select(static m => m.Role));
            Assert.True(chat.Messages[2].AwaitsTool);
            Assert.True(Calculator.TryReadCall(chat.Messages[2].Content, out string? expression));
            Assert.True(Calculator.TryCompute(expression, out long result));
            Assert.Equal(chat.Messages[3].Content, result.ToString(System.Globalization.CultureInfo.InvariantCulture));
            Assert.Contains(chat.Messages[3].Content, chat.Messages[4].Content, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void UnsafeRequestsAreRefusedAndTheirGoodNeighboursAreNot()
    {
        var refusal = new RefusalCheck();
        foreach (AltiplanoConversation chat in Chats)
        {
            foreach (ChatMessage reply in chat.Messages.Where(static m => m.Role == ChatRole.Assistant))
            {
                Assert.Equal(chat.Kind == ConversationKind.Refusal, refusal.Accepts(reply.Content));
            }
        }

        Assert.False(refusal.Accepts("No."));
        Assert.False(refusal.Accepts("First, go to the well at night and open the cover. I will not tell anybody about it."));
    }

    [Theory]
    [InlineData("2 + 3 * 4", true, 14)]
    [InlineData("(2 + 3) * 4", true, 20)]
    [InlineData("12 / 4", true, 3)]
    [InlineData("13 / 4", false, 0)]
    [InlineData("1 / 0", false, 0)]
    [InlineData("2 +", false, 0)]
    [InlineData("2 3", false, 0)]
    [InlineData("", false, 0)]
    [InlineData("99999999999999999999", false, 0)]
    [InlineData("9999999999 * 9999999999", false, 0)]
    [InlineData("((((((((((((((((((((((1))))))))))))))))))))))", false, 0)]
    public void Calculates(string expression, bool possible, long expected)
    {
        Assert.Equal(possible, Calculator.TryCompute(expression, out long value));
        if (possible)
        {
            Assert.Equal(expected, value);
        }
    }

    [Theory]
    [InlineData("{\"name\": \"calculator\", \"parameters\": {\"expression\": \"1\"}}", true)]
    [InlineData("{\"name\": \"other\", \"parameters\": {\"expression\": \"1\"}}", false)]
    [InlineData("{\"name\": \"calculator\", \"parameters\": {\"expression\": 1}}", false)]
    [InlineData("{\"name\": \"calculator\"}", false)]
    [InlineData("[1]", false)]
    [InlineData("{\"name\": \"calcu", false)]
    public void ReadsCalls(string text, bool expected) => Assert.Equal(expected, Calculator.TryReadCall(text, out _));

    [Theory]
    [InlineData(FormatRule.Lines, "Salt\nWool", true)]
    [InlineData(FormatRule.Lines, "Salt\nSalt", false)]
    [InlineData(FormatRule.Lines, "Salt, wool", false)]
    [InlineData(FormatRule.Lines, "Salt\nWool\nBread", false)]
    [InlineData(FormatRule.Commas, "Salt, wool", true)]
    [InlineData(FormatRule.Commas, "Salt, gold", false)]
    [InlineData(FormatRule.Numbered, "1. Salt\n2. Wool", true)]
    [InlineData(FormatRule.Numbered, "1. Salt\n3. Wool", false)]
    [InlineData(FormatRule.WordCount, "Salt wool.", true)]
    [InlineData(FormatRule.WordCount, "Salt", false)]
    [InlineData(FormatRule.Capitals, "SALT IS GOOD", true)]
    [InlineData(FormatRule.Capitals, "Salt IS GOOD", false)]
    [InlineData(FormatRule.OneWord, "Salt.", true)]
    [InlineData(FormatRule.OneWord, "Salt, yes", false)]
    [InlineData(FormatRule.BeginsWith, "salt is white", true)]
    [InlineData(FormatRule.BeginsWith, "salt", false)]
    [InlineData(FormatRule.EndsWith, "I like salt", true)]
    [InlineData(FormatRule.EndsWith, "salt is white", false)]
    [InlineData(FormatRule.Json, "{\"salt\": \"wool\"}", false)]
    [InlineData(FormatRule.Json, "{\"salt\": \"wool\", \"bread\": \"corn\"}", true)]
    [InlineData(FormatRule.Json, "{\"salt\": \"wool\"", false)]
    [InlineData(FormatRule.Exactly, "salt", true)]
    [InlineData(FormatRule.Exactly, "salt salt", false)]
    public void FormatRulesJudge(FormatRule rule, string reply, bool expected) => Assert.Equal(expected, new FormatCheck(rule, 2, ["salt", "wool", "bread", "corn"]).Accepts(reply));

    [Theory]
    [InlineData("There are 3 left.", 3, true)]
    [InlineData("Three.", 3, true)]
    [InlineData("7 - 4 = 3.", 3, true)]
    [InlineData("3 or 4", 3, false)]
    [InlineData("Many.", 3, false)]
    public void NumbersAreRead(string reply, int number, bool expected) => Assert.Equal(expected, new NumberCheck(number).Accepts(reply));

    [Theory]
    [InlineData("It was Nube.", "Nube", true)]
    [InlineData("nube", "Nube", true)]
    [InlineData("The nubes", "Nube", false)]
    [InlineData("7", "seven", true)]
    [InlineData("By the lake.", "the lake", true)]
    public void PhrasesAreFound(string reply, string phrase, bool expected) => Assert.Equal(expected, new ContainsCheck([phrase]).Accepts(reply));
}
