using System.Text.Json.Serialization;
using Puna.Training.Data.Altiplano;

namespace Puna.Training.Recipes;

/// <summary>Config of the recipe <c>altiplano</c>.</summary>
internal sealed class AltiplanoConfig
{
    /// <summary>Of the world; another seed is another corpus.</summary>
    public ulong Seed { get; set; }

    /// <summary>How many stories.</summary>
    public int Stories { get; set; }

    /// <summary>How many conversations.</summary>
    public int Chats { get; set; }

    /// <summary>How many pictures.</summary>
    public int Pictures { get; set; }

    /// <summary><c>train</c> or <c>test</c>.</summary>
    public SplitPart Split { get; set; }
}

/// <summary>Reads and writes the recipe's JSON without reflection.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, UseStringEnumConverter = true, WriteIndented = true)]
[JsonSerializable(typeof(AltiplanoConfig))]
[JsonSerializable(typeof(VarietyReport))]
internal sealed partial class AltiplanoJson : JsonSerializerContext;
