using Puna.Formats.Gguf;
using Puna.Tensors;
using Puna.Text;
using Puna.Training.Recipes;

namespace Puna.Training.Data;

/// <summary>One file to read.</summary>
internal sealed record PlannedInput(string Path, string Source, string? Language, TextSplit Split);

/// <summary>A config with everything that it names looked up and checked, before any work is begun.</summary>
internal sealed class DataPlan
{
    private const string DefaultSource = "default";

    // A link to a folder above would lead on for ever.
    private static readonly EnumerationOptions _everything = new() { RecurseSubdirectories = true, MaxRecursionDepth = 32, AttributesToSkip = 0, IgnoreInaccessible = false };

    private DataPlan(DataConfig config, Tokenizer tokenizer, int threads)
    {
        Config = config;
        Tokenizer = tokenizer;
        Threads = threads;
    }

    public DataConfig Config { get; }

    public Tokenizer Tokenizer { get; }

    public int Threads { get; }

    public required IReadOnlyList<PlannedInput> Inputs { get; init; }

    public required IReadOnlyList<FilterRule> Rules { get; init; }

    public IReadOnlySet<string>? Languages { get; init; }

    public EvaluationOverlap? Evaluations { get; init; }

    public long MemoryBytes => (long)Config.MemoryMb << 20;

    /// <param name="config">The config.</param>
    /// <param name="path">Its file: relative paths are relative to its folder.</param>
    /// <param name="threads">Threads asked for, 0 for what the config says.</param>
    /// <exception cref="PunaException">Something named is missing, or a number is out of range.</exception>
    public static DataPlan Create(DataConfig config, string path, int threads)
    {
        string folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        Range("shard_tokens", config.ShardTokens, 1, long.MaxValue);
        Range("memory_mb", config.MemoryMb, 1, 1 << 20);
        Range("threads", config.Threads, 0, 1024);
        Range("longest_document_bytes", config.LongestDocumentBytes, 1, 1 << 29);
        Range("dedup.lines", config.Dedup.Lines ?? 6, 1, 1_000_000);
        Range("dedup.line_bucket_documents", config.Dedup.LineBucketDocuments, 1, long.MaxValue);
        if (!(config.ValidationShare is >= 0 and < 1))
        {
            throw new PunaException($"config validation_share: expected at least 0 and less than 1, got {config.ValidationShare} ({path})");
        }

        foreach ((string group, double weight) in config.Weights ?? new Dictionary<string, double>())
        {
            if (!(weight >= 0 && double.IsFinite(weight)))
            {
                throw new PunaException($"config weight of {group}: expected at least 0, got {weight} ({path})");
            }
        }

        // JSON may have null where a list wants a value.
        if (config.Inputs.Contains(null!) || config.Decontaminate.Contains(null!) || config.Filters.Rules?.Contains(null!) == true || config.Filters.Presets?.Contains(null!) == true)
        {
            throw new PunaException($"config lists: expected no null in them, got one ({path})");
        }

        EvaluationOverlap? evaluations = null;
        if (config.Decontaminate.Count > 0)
        {
            evaluations = new EvaluationOverlap((long)config.MemoryMb << 18);
            foreach (string file in config.Decontaminate)
            {
                evaluations.AddFile(Path.Combine(folder, file));
            }
        }

        threads = threads > 0 ? threads : config.Threads > 0 ? config.Threads : Environment.ProcessorCount;
        return new DataPlan(config, OpenTokenizer(Path.Combine(folder, config.Tokenizer)), threads)
        {
            Inputs = FindInputs(config, folder, path),
            Rules = FindRules(config.Filters, path),
            Languages = config.Filters.Languages is { } languages ? new HashSet<string>(languages, StringComparer.Ordinal) : null,
            Evaluations = evaluations,
        };

        void Range(string name, long value, long least, long most)
        {
            if (value < least || value > most)
            {
                throw new PunaException($"config {name}: expected {least} to {most}, got {value} ({path})");
            }
        }
    }

    private static Tokenizer OpenTokenizer(string path)
    {
        if (!path.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase))
        {
            return TokenizerLoader.Open(path);
        }

        using GgufFile file = GgufFile.Open(path);
        return GgufTokenizer.Create(file.Metadata, path) ?? throw new PunaException($"tokenizer {path}: expected a vocabulary in its metadata, got none");
    }

    private static List<PlannedInput> FindInputs(DataConfig config, string folder, string configPath)
    {
        var inputs = new List<PlannedInput>();
        foreach (DataInput input in config.Inputs)
        {
            string path = Path.Combine(folder, input.Path);
            string source = input.Source ?? DefaultSource;
            if (Directory.Exists(path))
            {
                List<string> files = [.. Directory.EnumerateFiles(path, "*", _everything).Where(DocumentReader.IsKnown).Order(StringComparer.Ordinal)];
                if (files.Count == 0)
                {
                    throw new PunaException($"input {path}: expected a folder with .txt or .jsonl files, got one without");
                }

                inputs.AddRange(files.Select(file => new PlannedInput(file, source, input.Language, input.Split)));
            }
            else if (!File.Exists(path))
            {
                throw new PunaException($"input {path}: expected a file or folder, got nothing there ({configPath})");
            }
            else if (!DocumentReader.IsKnown(path))
            {
                throw new PunaException($"input {path}: expected a name that ends in .txt, .jsonl, .txt.gz or .jsonl.gz ({configPath})");
            }
            else
            {
                inputs.Add(new PlannedInput(path, source, input.Language, input.Split));
            }
        }

        return inputs.Count > 0 ? inputs : throw new PunaException($"config inputs: expected at least one, got none ({configPath})");
    }

    private static List<FilterRule> FindRules(DataFilters filters, string configPath)
    {
        var rules = new List<FilterRule>();
        foreach (string name in filters.Presets ?? [])
        {
            rules.AddRange(FilterPresets.Find(name) ?? throw new PunaException($"config filters.presets: expected {string.Join(", ", FilterPresets.Names)}, got {name} ({configPath})"));
        }

        foreach (DataRule rule in filters.Rules ?? [])
        {
            if (rule.Min is null && rule.Max is null)
            {
                throw new PunaException($"config filter rule {rule.Code}: expected min or max, got neither ({configPath})");
            }

            var made = new FilterRule(rule.Code, rule.Measure, rule.Min, rule.Max);
            int place = rules.FindIndex(known => known.Code == rule.Code);
            if (place >= 0)
            {
                rules[place] = made;
            }
            else
            {
                rules.Add(made);
            }
        }

        return rules;
    }
}
