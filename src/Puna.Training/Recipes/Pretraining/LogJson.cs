using System.Text.Json.Serialization;

namespace Puna.Training.Recipes.Pretraining;

/// <summary>Lines of a run's logs. What is null is left out, so that a line need not have every parameter.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    RespectNullableAnnotations = true)]
[JsonSerializable(typeof(LogEntry))]
[JsonSerializable(typeof(SampleEntry))]
[JsonSerializable(typeof(RateEntry))]
internal sealed partial class LogJson : JsonSerializerContext;
