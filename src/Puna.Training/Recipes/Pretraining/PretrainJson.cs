using System.Text.Json.Serialization;

namespace Puna.Training.Recipes.Pretraining;

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, UseStringEnumConverter = true, WriteIndented = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, ReadCommentHandling = System.Text.Json.JsonCommentHandling.Skip)]
[JsonSerializable(typeof(PretrainConfig))]
[JsonSerializable(typeof(LogEntry))]
[JsonSerializable(typeof(SampleEntry))]
[JsonSerializable(typeof(RateEntry))]
internal sealed partial class PretrainJson : JsonSerializerContext;
