using System.Text.Json;
using System.Text.Json.Serialization;

namespace Puna.Training.Recipes;

/// <summary>Members of an enumeration as <c>snake_case</c> names, and nothing else.</summary>
/// <typeparam name="T">The enumeration.</typeparam>
internal sealed class SnakeCaseEnum<T>() : JsonStringEnumConverter<T>(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false)
    where T : struct, Enum;
