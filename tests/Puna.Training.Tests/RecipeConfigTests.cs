using System.Text.Json;
using System.Text.Json.Serialization;
using Puna.Tensors;
using Puna.Tests.Shared;
using Puna.Training.Recipes;
using Puna.Training.Recipes.Pretraining;
using Puna.Training.Recipes.ScalingLaws;
using Puna.Training.Recipes.Vision;

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

    /// <summary>Whoever reads the page knows every key, also those of sections.</summary>
    [Theory]
    [InlineData("pretrain", "training.md")]
    [InlineData("tokenizer", "training.md")]
    [InlineData("scaling", "training.md")]
    [InlineData("vision", "training.md")]
    [InlineData("data", "data.md")]
    public void EveryKeyIsDocumented(string recipe, string document)
    {
        (JsonSerializerOptions options, Type type) = recipe switch
        {
            "pretrain" => (PretrainJson.Default.Options, typeof(PretrainConfig)),
            "tokenizer" => (TokenizerConfigJson.Default.Options, typeof(TokenizerConfig)),
            "scaling" => (ScalingConfigJson.Default.Options, typeof(ScalingConfig)),
            "vision" => (VisionJson.Default.Options, typeof(VisionConfig)),
            _ => (DataJson.Default.Options, typeof(DataConfig)),
        };
        string page = File.ReadAllText(Path.Combine(TestFiles.Root, "docs", document));
        string[] keys = [.. Keys(options, type).Distinct()];
        Assert.True(keys.Length > 3);

        // As `key`, in a list `{key, other}`, or with its value {"key": 1}.
        Assert.Equal([], keys.Where(key => !System.Text.RegularExpressions.Regex.IsMatch(page, $$"""`{{key}}`|`\{[^`}]*\b{{key}}\b[^`}]*\}`|\{"{{key}}":""")));
    }

    private static IEnumerable<string> Keys(JsonSerializerOptions options, Type type)
    {
        foreach (System.Text.Json.Serialization.Metadata.JsonPropertyInfo property in options.GetTypeInfo(type).Properties.Where(static p => p.Set is not null || p.IsRequired || p.AssociatedParameter is not null))
        {
            yield return property.Name;
            Type inner = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
            inner = inner.IsGenericType && inner.GetGenericArguments().Length == 1 ? inner.GetGenericArguments()[0] : inner;
            if (inner.Namespace!.StartsWith("Puna", StringComparison.Ordinal) && !inner.IsEnum)
            {
                foreach (string name in Keys(options, inner))
                {
                    yield return name;
                }
            }
        }
    }

    internal sealed record Sample(double PeakRate);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(RecipeConfigTests.Sample))]
internal sealed partial class SampleJson : JsonSerializerContext;
