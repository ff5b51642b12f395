using System.Text.Json.Serialization;
using Puna.Training.Data;

namespace Puna.Training.Recipes;

/// <summary>Config of the recipe <c>data</c>; docs/data.md says what each key means.</summary>
internal sealed class DataConfig
{
    public required string Tokenizer { get; set; }

    public required IReadOnlyList<DataInput> Inputs { get; set; }

    public TextNormalization Normalize { get; set; } = new();

    public DataFilters Filters { get; set; } = new();

    public DataDedup Dedup { get; set; } = new();

    public IReadOnlyList<string> Decontaminate { get; set; } = [];

    [JsonConverter(typeof(SnakeCaseEnum<DataGrouping>))]
    public DataGrouping GroupBy { get; set; } = DataGrouping.Source;

    public IReadOnlyDictionary<string, double>? Weights { get; set; }

    public bool Bos { get; set; } = true;

    public bool Eos { get; set; } = true;

    public long ShardTokens { get; set; } = 50_000_000;

    public double ValidationShare { get; set; }

    public ulong Seed { get; set; } = 1;

    public int MemoryMb { get; set; } = 512;

    public int Threads { get; set; }

    public int LongestDocumentBytes { get; set; } = 16 << 20;

    [JsonConverter(typeof(SnakeCaseEnum<BadLines>))]
    public BadLines BadLines { get; set; } = BadLines.Error;
}

/// <summary>A file or folder to read.</summary>
/// <param name="Path">The file, or a folder of which every file with a known ending is read, in the order of the names.</param>
/// <param name="Source">Source of documents that name none.</param>
/// <param name="Language">Language of documents that name none; found out where absent.</param>
/// <param name="Split">What a document is in a text file.</param>
internal sealed record DataInput(
    string Path,
    string? Source = null,
    string? Language = null,
    [property: JsonConverter(typeof(SnakeCaseEnum<TextSplit>))] TextSplit Split = TextSplit.Paragraph);

/// <summary>Which documents may pass.</summary>
/// <param name="Presets">Names of <see cref="FilterPresets"/>.</param>
/// <param name="Rules">Further rules; one with the code of a preset's rule takes its place.</param>
/// <param name="Languages">Languages that pass; all where absent.</param>
internal sealed record DataFilters(IReadOnlyList<string>? Presets = null, IReadOnlyList<DataRule>? Rules = null, IReadOnlyList<string>? Languages = null);

/// <summary>A rule of the config.</summary>
/// <param name="Code">The reason, as it is counted.</param>
/// <param name="Measure">What is measured.</param>
/// <param name="Min">Least value that passes.</param>
/// <param name="Max">Greatest value that passes.</param>
internal sealed record DataRule(
    string Code,
    [property: JsonConverter(typeof(SnakeCaseEnum<TextMeasure>))] TextMeasure Measure,
    double? Min = null,
    double? Max = null);

/// <summary>Which copies go away.</summary>
/// <param name="Exact">Documents with the same text.</param>
/// <param name="Near">Documents that say nearly the same, by MinHash.</param>
/// <param name="Lines">Lines that occur more often than this; none go away where absent.</param>
/// <param name="LineBucketDocuments">Lines are compared within this many documents.</param>
internal sealed record DataDedup(bool Exact = true, bool Near = true, int? Lines = null, long LineBucketDocuments = 30_000_000);

/// <summary>What makes a group of shards, which a mixture weighs as one.</summary>
internal enum DataGrouping
{
    Source,
    Language,
    SourceAndLanguage,
}

/// <summary>What to do about a line that is no document.</summary>
internal enum BadLines
{
    Error,
    Skip,
}

/// <summary>Reads the config.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    AllowTrailingCommas = true,
    ReadCommentHandling = System.Text.Json.JsonCommentHandling.Skip,
    WriteIndented = true)]
[JsonSerializable(typeof(DataConfig))]
[JsonSerializable(typeof(DataManifest))]
internal sealed partial class DataJson : JsonSerializerContext;
