using System.Text.Json.Serialization;

namespace Puna.Training.Recipes.ScalingLaws;

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ScalingPrediction))]
[JsonSerializable(typeof(ScalingResult))]
internal sealed partial class ScalingJson : JsonSerializerContext;
