namespace Puna.Training.Data.Altiplano;

/// <summary>Tells stories without end: each is a pure function of a seed and an index.</summary>
public static class StoryTeller
{
    private const uint Stream = 1;

    private static readonly IPlot[] Plots =
    [
        new LostLlamaPlot(), new StormPlot(), new TradePlot(), new BorrowedPlot(), new IllnessPlot(), new FestivalPlot(), new BridgePlot(), new DroughtPlot(), new SecretPlot(), new RacePlot(),
        new NewbornPlot(), new QuarrelPlot(), new HelperPlot(), new GiftPlot(), new StrangerPlot(), new LearningPlot(), new CountingPlot(), new NightPlot(),
    ];

    /// <summary>Names of the plot families.</summary>
    public static IReadOnlyList<string> PlotNames { get; } = Array.ConvertAll(Plots, plot => plot.Name);

    /// <summary>Tells a story.</summary>
    /// <param name="seed">Of the world.</param>
    /// <param name="index">Which story, 0 or more.</param>
    public static AltiplanoStory Tell(ulong seed, long index)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        var dice = new Dice(seed, Stream, index);
        IPlot plot = Plots[dice.Below(Plots.Length)];
        var scene = new Scene(dice);
        plot.Tell(scene);
        return new AltiplanoStory(index, plot.Name, scene.Narrator.ToString(), scene.Hero.Name, scene.Facts, scene.Questions);
    }
}
