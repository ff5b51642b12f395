using Puna.Formats;
using Puna.Tensors;

namespace Puna.Training.Data;

/// <summary>The shards that are being written: for every group one of either split, a new one where it is full.</summary>
internal sealed class ShardSet(StagedFiles files, string folder, byte[] tokenizer, int vocabularySize, long shardTokens) : IDisposable
{
    public const string Train = "train";
    public const string Validation = "validation";
    public const string Extension = ".punatok";

    /// <summary>Every group has two files open.</summary>
    public const int MostGroups = 128;

    private readonly SortedDictionary<string, Group> _groups = new(StringComparer.Ordinal);
    private readonly HashSet<string> _fileNames = new(StringComparer.OrdinalIgnoreCase);
    private readonly List<ManifestShard> _shards = [];

    public void Add(string group, bool validation, ReadOnlySpan<int> tokens, long textBytes)
    {
        if (!_groups.TryGetValue(group, out Group? found))
        {
            if (_groups.Count == MostGroups)
            {
                throw new PunaException($"group {group}: expected at most {MostGroups} different groups of shards, got one more (group_by says what makes a group)");
            }

            _groups[group] = found = new Group(FileName(group));
        }

        Split split = validation ? found.Validation : found.Train;
        split.Writer ??= new ShardWriter(files, Path.Combine(folder, split.File = $"{found.FileName}-{(validation ? Validation : Train)}-{split.Shards:00000}{Extension}"), tokenizer, vocabularySize, group);
        split.Writer.Add(tokens, textBytes);
        split.Documents++;
        split.Tokens += tokens.Length;
        split.TextBytes += textBytes;
        if (split.Writer.Tokens >= shardTokens)
        {
            Close(group, validation, split);
        }
    }

    /// <summary>Completes all shards.</summary>
    /// <param name="weights">Weights by group, or null for as many as there are tokens.</param>
    /// <exception cref="PunaException">The weights do not name the groups that there are.</exception>
    public (IReadOnlyList<ManifestGroup> Groups, IReadOnlyList<ManifestShard> Shards) Complete(IReadOnlyDictionary<string, double>? weights)
    {
        foreach (string name in weights?.Keys ?? [])
        {
            if (!_groups.ContainsKey(name))
            {
                throw new PunaException($"weights: expected groups among {string.Join(", ", _groups.Keys)}, got {name}");
            }
        }

        var groups = new List<ManifestGroup>();
        foreach ((string name, Group group) in _groups)
        {
            Close(name, false, group.Train);
            Close(name, true, group.Validation);
            double weight = group.Train.Tokens;
            if (weights is not null && !weights.TryGetValue(name, out weight))
            {
                throw new PunaException($"weights: expected one for every group, got none for {name}");
            }

            groups.Add(new ManifestGroup(
                name, weight, group.Train.Documents, group.Train.Tokens, group.Train.TextBytes, group.Validation.Documents, group.Validation.Tokens, group.Validation.TextBytes));
        }

        _shards.Sort(static (a, b) => string.CompareOrdinal(a.File, b.File));
        return (groups, _shards);
    }

    public void Dispose()
    {
        foreach (Group group in _groups.Values)
        {
            group.Train.Writer?.Dispose();
            group.Validation.Writer?.Dispose();
        }
    }

    private void Close(string group, bool validation, Split split)
    {
        if (split.Writer is { } writer)
        {
            uint checksum = writer.Complete();
            _shards.Add(new ManifestShard(split.File, group, validation ? Validation : Train, writer.Documents, writer.Tokens, $"{checksum:x8}"));
            split.Writer = null;
            split.Shards++;
        }
    }

    /// <summary>A name that every file system takes, and no two groups share.</summary>
    private string FileName(string group)
    {
        // Short enough for StagedFiles to keep the whole name, extension included, in that of the temporary file.
        const int Longest = 30;
        string safe = string.Create(Math.Min(group.Length, Longest), group, static (span, name) =>
        {
            for (int i = 0; i < span.Length; i++)
            {
                span[i] = char.IsAsciiLetterOrDigit(name[i]) || name[i] is '-' or '_' ? name[i] : '_';
            }
        });
        string unique = safe.Length > 0 ? safe : "_";
        for (int i = 2; !_fileNames.Add(unique); i++)
        {
            unique = $"{safe}~{i}";
        }

        return unique;
    }

    private sealed class Group(string fileName)
    {
        public string FileName => fileName;

        public Split Train { get; } = new();

        public Split Validation { get; } = new();
    }

    private sealed class Split
    {
        public ShardWriter? Writer { get; set; }

        public string File { get; set; } = "";

        public int Shards { get; set; }

        public long Documents { get; set; }

        public long Tokens { get; set; }

        public long TextBytes { get; set; }
    }
}
