namespace Puna.Training.Data;

/// <summary>What became of the documents of one source.</summary>
internal sealed class SourceCounts(string name)
{
    private readonly SortedDictionary<string, long> _dropped = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, long> _languages = new(StringComparer.Ordinal);

    public string Name => name;

    public long Read { get; set; }

    public long Repaired { get; set; }

    public long LinesDropped { get; set; }

    public long Kept { get; private set; }

    public long Tokens { get; private set; }

    public void Drop(string reason) => _dropped[reason] = _dropped.GetValueOrDefault(reason) + 1;

    public void Keep(string language, long tokens)
    {
        Kept++;
        Tokens += tokens;
        _languages[language] = _languages.GetValueOrDefault(language) + 1;
    }

    public ManifestSource ToManifest() => new(name, Read, Kept, _dropped, LinesDropped, Repaired, _languages, Tokens);
}
