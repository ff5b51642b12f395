using System.Text.Json;
using Puna.Tensors;
using Puna.Training.Data.Altiplano;
using Puna.Training.Recipes;

namespace Puna.Training.Tests.Recipes;

/// <summary>The recipe writes what the generators make, all or nothing.</summary>
public sealed class AltiplanoRecipeTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory().FullName;

    private string Output => Path.Combine(_folder, "out");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void WritesStoriesChatsAndPictures()
    {
        string said = Run("""{ "seed": 3, "stories": 30, "chats": 20, "pictures": 5, "split": "test" }""");
        Assert.Contains("30 stories, 20 chats and 5 pictures", said, StringComparison.Ordinal);
        string[] stories = File.ReadAllLines(Path.Combine(Output, "stories.jsonl"));
        Assert.Equal(30, stories.Length);
        for (int i = 0; i < stories.Length; i++)
        {
            AltiplanoStory story = StoryTeller.Tell(3, AltiplanoSplit.Index(SplitPart.Test, i));
            using JsonDocument json = JsonDocument.Parse(stories[i]);
            Assert.Equal(story.Text, json.RootElement.GetProperty("text").GetString());
            Assert.Equal(story.Questions.Select(static q => q.Answer), json.RootElement.GetProperty("questions").EnumerateArray().Select(static q => q.GetProperty("answer").GetString()));
        }

        string[] chats = File.ReadAllLines(Path.Combine(Output, "chats.jsonl"));
        Assert.Equal(20, chats.Length);
        using JsonDocument chat = JsonDocument.Parse(chats[4]);
        Assert.Equal(AltiplanoChat.Create(3, AltiplanoSplit.Index(SplitPart.Test, 4)).Messages.Select(static m => m.Content), chat.RootElement.GetProperty("messages").EnumerateArray().Select(static m => m.GetProperty("content").GetString()));
        using JsonDocument picture = JsonDocument.Parse(File.ReadLines(Path.Combine(Output, "pictures.jsonl")).First());
        Assert.Equal(AltiplanoPictures.Render(3, 19).ToPpm(), File.ReadAllBytes(Path.Combine(Output, picture.RootElement.GetProperty("file").GetString()!)));
        using JsonDocument variety = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Output, "variety.json")));
        Assert.Equal(30, variety.RootElement.GetProperty("texts").GetInt32());
    }

    [Fact]
    public void ResultsAreNotOverwritten()
    {
        Run("""{ "stories": 2 }""");
        Assert.Contains("expected one without results", Assert.Throws<PunaException>(() => Run("""{ "stories": 2 }""")).Message, StringComparison.Ordinal);
        Assert.Contains("complete already", Run("""{ "stories": 2 }""", resume: true), StringComparison.Ordinal);
        Assert.Contains("complete already", Run("""{ "split": "train", "stories": 2, "chats": 0 }""", resume: true), StringComparison.Ordinal);
    }

    /// <summary>Going on with another config, or with results that do not say theirs, would be to take one for the other.</summary>
    [Theory]
    [InlineData("""{ "stories": 3 }""")]
    [InlineData("""{ "stories": 2, "seed": 1 }""")]
    [InlineData("""{ "stories": 2, "split": "test" }""")]
    [InlineData("""{ "chats": 1 }""")]
    public void ResultsOfAnotherConfigAreNotTakenForThisOnes(string other)
    {
        Run("""{ "stories": 2 }""");
        byte[] before = File.ReadAllBytes(Path.Combine(Output, "stories.jsonl"));
        Assert.Contains("got one with stories.jsonl of another config", Assert.Throws<PunaException>(() => Run(other, resume: true)).Message, StringComparison.Ordinal);
        File.Delete(Path.Combine(Output, "altiplano.json"));
        Assert.Contains("of another config", Assert.Throws<PunaException>(() => Run("""{ "stories": 2 }""", resume: true)).Message, StringComparison.Ordinal);
        Assert.Equal(before, File.ReadAllBytes(Path.Combine(Output, "stories.jsonl")));
    }

    [Theory]
    [InlineData("""{ "stories": -1 }""", "stories")]
    [InlineData("""{ "pictures": 501 }""", "pictures")]
    [InlineData("{ }", "none")]
    [InlineData("""{ "stories": 1, "splt": "train" }""", "splt")]
    [InlineData("""{ "stories": 1, "split": "both" }""", "split")]
    public void BadConfigsLeaveNothing(string config, string word)
    {
        Assert.Contains(word, Assert.Throws<PunaException>(() => Run(config)).Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Output));
    }

    [Fact]
    public void AStoppedRunLeavesNothing()
    {
        Assert.Throws<OperationCanceledException>(() => Run("""{ "stories": 1000 }""", stopped: true));
        Assert.False(Directory.Exists(Output));
    }

    private string Run(string config, bool resume = false, bool stopped = false)
    {
        string path = Path.Combine(_folder, "config.json");
        File.WriteAllText(path, config);
        return new AltiplanoRecipe().Run(new RecipeRequest(path, Output, resume), SilentReport.Instance, new CancellationToken(stopped));
    }
}
