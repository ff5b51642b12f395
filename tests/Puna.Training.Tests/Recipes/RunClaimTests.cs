using Puna.Tensors;
using Puna.Training.Recipes;
using Puna.Training.Recipes.Pretraining;
using Puna.Training.Recipes.ScalingLaws;
using Puna.Training.Recipes.Vision;
using Puna.Training.Tests.Data;

namespace Puna.Training.Tests.Recipes;

/// <summary>One run at a time works in a folder.</summary>
public sealed class RunClaimTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>With and without <c>--resume</c>, and a refused one takes nothing from the one at work.</summary>
    [Theory]
    [InlineData("pretrain")]
    [InlineData("vision")]
    [InlineData("scaling")]
    [InlineData("find-rate")]
    public void AFolderInUseIsRefused(string name)
    {
        IRecipe recipe = ((IRecipe[])[new PretrainRecipe(), new VisionRecipe(), new ScalingRecipe(), new FindRateRecipe()]).Single(r => r.Name == name);
        string output = _folder.File("run");
        using (RunClaim.Take(output))
        {
            // The search for a rate knows no --resume.
            foreach (bool resume in new[] { false, name != "find-rate", false })
            {
                var request = new RecipeRequest(_folder.File("none.json"), output, resume);
                string message = Assert.Throws<PunaException>(() => recipe.Run(request, SilentReport.Instance, TestContext.Current.CancellationToken)).Message;
                Assert.StartsWith($"folder {output}: expected no other run at work in it", message, StringComparison.Ordinal);
            }

            Assert.True(File.Exists(Path.Combine(output, RunClaim.FileName)));
        }
    }

    /// <summary>A killed process leaves the file, but nobody holds it.</summary>
    [Fact]
    public void AClaimThatNobodyHoldsIsNoObstacle()
    {
        string output = _folder.File("run");
        Directory.CreateDirectory(output);
        File.WriteAllText(Path.Combine(output, RunClaim.FileName), "");
        RunClaim.Take(output).Dispose();
        Assert.Empty(Directory.EnumerateFileSystemEntries(output));
        RunClaim.Take(output).Dispose();
    }

    [Fact]
    public void AFolderMadeForAClaimGoesWithItUnlessItIsUsed()
    {
        string output = _folder.File("deep/run");
        RunClaim.Take(output).Dispose();
        Assert.False(Directory.Exists(_folder.File("deep")));
        using (RunClaim.Take(output))
        {
            File.WriteAllText(Path.Combine(output, "log"), "");
        }

        Assert.Equal(["log"], Directory.EnumerateFileSystemEntries(output).Select(Path.GetFileName));
        File.WriteAllText(_folder.File("file"), "");
        Assert.Contains("there is a file of this name", Assert.Throws<PunaException>(() => RunClaim.Take(_folder.File("file"))).Message, StringComparison.Ordinal);
    }
}
