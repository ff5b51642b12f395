namespace Puna.Training.Data.Altiplano;

/// <summary>A family of stories: what can happen to the people of a world, and how it is told.</summary>
internal interface IPlot
{
    string Name { get; }

    /// <summary>Lets it happen in the scene's world and tells it.</summary>
    void Tell(Scene scene);
}
