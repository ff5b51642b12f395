using System.Text.Json.Serialization;
using Puna.Tensors;
using Puna.Training.Recipes;

namespace Puna.Training.Tests;

/// <summary>A config is read whole or refused in one line.</summary>
public sealed class RecipeConfigTests : IDisposable
{
    private readonly string _path = Path.GetTempFileName();

    public void Dispose() => File.Delete(_path);

    [Fact]
    public void KnownKeysAreRead()
    {
        File.WriteAllText(_path, """{ "peak_rate": 0.5 }""");
        Assert.Equal(0.5, RecipeConfig.Read(_path, SampleJson.Default.Sample).PeakRate);
    }

    [Theory]
    [InlineData("""{ "peak_rat": 0.5 }""")]
    [InlineData("""{ "peak_rate": "high" }""")]
    [InlineData("""{ """)]
    [InlineData("null")]
    public void AnythingElseIsRefusedInOneLine(string text)
    {
        File.WriteAllText(_path, text);
        PunaException e = Assert.Throws<PunaException>(() => RecipeConfig.Read(_path, SampleJson.Default.Sample));
        Assert.StartsWith($"config {_path}: ", e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
    }

    [Fact]
    public void AMissingFileIsSaid() =>
        Assert.Equal($"config {_path}.none: not found", Assert.Throws<PunaException>(() => RecipeConfig.Read(_path + ".none", SampleJson.Default.Sample)).Message);

    internal sealed record Sample(double PeakRate);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(RecipeConfigTests.Sample))]
internal sealed partial class SampleJson : JsonSerializerContext;
