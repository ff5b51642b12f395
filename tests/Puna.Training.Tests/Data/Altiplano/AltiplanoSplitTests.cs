using Puna.Training.Data.Altiplano;

namespace Puna.Training.Tests.Data.Altiplano;

/// <summary>No index belongs to both parts, none is left out, and no held-out text is in the training part.</summary>
public sealed class AltiplanoSplitTests
{
    [Fact]
    public void PartsCoverAllIndicesOnce()
    {
        long[] train = [.. Enumerable.Range(0, 1900).Select(static n => AltiplanoSplit.Index(SplitPart.Train, n))];
        long[] test = [.. Enumerable.Range(0, 100).Select(static n => AltiplanoSplit.Index(SplitPart.Test, n))];
        Assert.Equal(Enumerable.Range(0, 2000).Select(static i => (long)i), train.Concat(test).Order());
        Assert.All(train, static i => Assert.Equal(SplitPart.Train, AltiplanoSplit.Of(i)));
        Assert.All(test, static i => Assert.Equal(SplitPart.Test, AltiplanoSplit.Of(i)));
    }

    [Fact]
    public void NoHeldOutStoryIsTrainedOn()
    {
        var train = new HashSet<string>();
        for (int n = 0; n < 6000; n++)
        {
            train.Add(StoryTeller.Tell(1, AltiplanoSplit.Index(SplitPart.Train, n)).Text);
        }

        for (int n = 0; n < 500; n++)
        {
            Assert.DoesNotContain(StoryTeller.Tell(1, AltiplanoSplit.Index(SplitPart.Test, n)).Text, train);
        }
    }

    [Fact]
    public void ChatsAboutStoriesKeepToTheirPart()
    {
        for (long i = 0; i < 200; i++)
        {
            Assert.Contains(AltiplanoChat.Create(1, i, ConversationKind.Question).Messages, m => m.Content.Contains(StoryTeller.Tell(1, i).Text, StringComparison.Ordinal));
        }
    }
}
