using System.Text.Json;
using System.Text.Json.Serialization;
using Puna.Training.Recipes.Pretraining;

namespace Puna.Training.Recipes.ScalingLaws;

/// <summary>Reads the config of a grid, and writes those of its runs; what a config computes from its keys is not one of them.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, UseStringEnumConverter = true, WriteIndented = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, ReadCommentHandling = JsonCommentHandling.Skip, IgnoreReadOnlyProperties = true,
    RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(ScalingConfig))]
[JsonSerializable(typeof(PretrainConfig))]
internal sealed partial class ScalingConfigJson : JsonSerializerContext;
