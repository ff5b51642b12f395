using System.Text.Json;
using Puna.Tests.Shared;
using Puna.Training.Recipes;
using Puna.Training.Recipes.Vision;

namespace Puna.Learning.Tests;

/// <summary>The sample configs, from random weights: each design captions pictures whose combinations of object, colour and place it has never seen.</summary>
public sealed class VisionTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("puna-learning-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>A guess has a sixth of the objects and of the colours, and so has a caption beside another picture (within the noise of some 300 things: three standard deviations are 6.5 %).</summary>
    [Theory]
    [InlineData("vision-cross.json")]
    [InlineData("vision-fusion.json")]
    public void NineOfTenObjectsAndColoursAreRightInCombinationsNeverSeen(string sample)
    {
        new VisionRecipe().Run(new RecipeRequest(Path.Combine(TestFiles.Root, "samples", sample), _folder), SilentReport.Instance, TestContext.Current.CancellationToken);
        JsonElement exam = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(_folder, "exam.json"))).RootElement;
        foreach (string what in new[] { "objects", "colours" })
        {
            Assert.InRange(exam.GetProperty(what).GetProperty("right").GetDouble(), 90, 100);
            Assert.InRange(exam.GetProperty(what).GetProperty("shuffled").GetDouble(), 0, 25);
        }
    }
}
