using System.Text.Json.Serialization;

namespace Puna.Training.Recipes.Vision;

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, WriteIndented = true,
    Converters = [typeof(SnakeCaseEnum<VisionDesign>), typeof(SnakeCaseEnum<Core.LearningRateKind>)],
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, ReadCommentHandling = System.Text.Json.JsonCommentHandling.Skip,
    RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(VisionConfig))]
internal sealed partial class VisionJson : JsonSerializerContext;
