using System.Text.Json;
using Puna.Training.Recipes;

namespace Puna.Training.Data;

/// <summary><c>manifest.json</c> of a prepared data set: what is in it and what became of everything that was read.</summary>
/// <param name="Format"><see cref="CurrentFormat"/>.</param>
/// <param name="Config">The config it was made with.</param>
/// <param name="Tokenizer">The tokenizer.</param>
/// <param name="Sources">What became of the documents of each source.</param>
/// <param name="Groups">What a mixture weighs.</param>
/// <param name="Shards">The files.</param>
/// <param name="EvaluationRecords">Records of evaluation sets that were looked for.</param>
/// <param name="EvaluationRecordsTooShort">Records of evaluation sets too short to be looked for.</param>
internal sealed record DataManifest(
    string Format,
    DataConfig Config,
    ManifestTokenizer Tokenizer,
    IReadOnlyList<ManifestSource> Sources,
    IReadOnlyList<ManifestGroup> Groups,
    IReadOnlyList<ManifestShard> Shards,
    long EvaluationRecords,
    long EvaluationRecordsTooShort)
{
    public const string CurrentFormat = "puna-data-1";
    public const string FileName = "manifest.json";

    public byte[] Write() => JsonSerializer.SerializeToUtf8Bytes(this, DataJson.Default.DataManifest);
}

/// <summary>The tokenizer of a data set.</summary>
/// <param name="Identity">What <see cref="TokenizerIdentity"/> says.</param>
/// <param name="Kind">How it works.</param>
/// <param name="Vocabulary">One more than its greatest id.</param>
internal sealed record ManifestTokenizer(string Identity, string Kind, int Vocabulary);

/// <summary>What became of a source.</summary>
/// <param name="Source">Its name.</param>
/// <param name="Read">Documents read.</param>
/// <param name="Kept">Documents in the shards.</param>
/// <param name="Dropped">Documents dropped, per reason.</param>
/// <param name="LinesDropped">Lines that occurred too often.</param>
/// <param name="Repaired">Documents with ill-formed UTF-8.</param>
/// <param name="Languages">Documents kept, per language.</param>
/// <param name="Tokens">Tokens in the shards.</param>
internal sealed record ManifestSource(
    string Source, long Read, long Kept, IReadOnlyDictionary<string, long> Dropped, long LinesDropped, long Repaired, IReadOnlyDictionary<string, long> Languages, long Tokens);

/// <summary>What a mixture weighs as one.</summary>
/// <param name="Name">Source, language, or both.</param>
/// <param name="Weight">Its share of the tokens, up to a common factor.</param>
/// <param name="Documents">Documents to train on.</param>
/// <param name="Tokens">Tokens to train on.</param>
/// <param name="TextBytes">Bytes of text to train on.</param>
/// <param name="ValidationDocuments">Documents held back.</param>
/// <param name="ValidationTokens">Tokens held back.</param>
/// <param name="ValidationTextBytes">Bytes of text held back.</param>
internal sealed record ManifestGroup(
    string Name, double Weight, long Documents, long Tokens, long TextBytes, long ValidationDocuments, long ValidationTokens, long ValidationTextBytes);

/// <summary>A file of tokens.</summary>
/// <param name="File">Its name in the folder.</param>
/// <param name="Group">Whose documents it has.</param>
/// <param name="Split"><c>train</c> or <c>validation</c>.</param>
/// <param name="Documents">Documents.</param>
/// <param name="Tokens">Tokens.</param>
/// <param name="Checksum">The header's checksum, eight hexadecimal digits.</param>
internal sealed record ManifestShard(string File, string Group, string Split, long Documents, long Tokens, string Checksum);
