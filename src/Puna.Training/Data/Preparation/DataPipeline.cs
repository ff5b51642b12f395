using System.Runtime.InteropServices;
using System.Text;
using Puna.Formats;
using Puna.Runtime.Sampling;
using Puna.Tensors;
using Puna.Text;
using Puna.Training.Recipes;

namespace Puna.Training.Data;

/// <summary>
/// From text to token shards in three passes: read, normalise, filter and hash everything once; compare hashes by external sorting; tokenise what is kept. Memory is bounded by the config and the longest
/// document, and what comes out depends neither on memory nor on threads.
/// </summary>
internal sealed class DataPipeline : IDisposable
{
    public const string NoLinesLeft = "no_lines_left";
    private const int MostNames = 4096;
    private const int ReportEvery = 100;

    private readonly DataPlan _plan;
    private readonly IRecipeReport _report;
    private readonly CancellationToken _stop;
    private readonly string _work;
    private readonly DocumentSpill _spill;
    private readonly Deduplicator _deduplicator;
    private readonly NameTable _sources = new("source", MostNames);
    private readonly NameTable _languages = new("language", MostNames);
    private readonly List<SourceCounts> _counts = [];

    /// <param name="plan">What to do.</param>
    /// <param name="work">A folder for temporary files, which must exist and be empty.</param>
    /// <param name="report">Told how far the work is.</param>
    /// <param name="stop">Ends the work.</param>
    public DataPipeline(DataPlan plan, string work, IRecipeReport report, CancellationToken stop)
    {
        _plan = plan;
        _work = work;
        _report = report;
        _stop = stop;
        _spill = new DocumentSpill(work);
        _deduplicator = new Deduplicator(work, plan.MemoryBytes * 3 / 4, stop);
    }

    /// <summary>Does everything and puts the files in place.</summary>
    public DataManifest Run(string output)
    {
        Collect();
        _report.Progress("looking for copies", 0, null);
        using ExternalSorter drops = _deduplicator.FindDrops();
        using ExternalSorter? lines = CountLines(drops);
        using var files = new StagedFiles();
        using var shards = new ShardSet(files, output, TokenizerIdentity.Of(_plan.Tokenizer), _plan.Tokenizer.VocabularySize, _plan.Config.ShardTokens);
        Tokenise(drops, lines, shards);
        (IReadOnlyList<ManifestGroup> groups, IReadOnlyList<ManifestShard> written) = shards.Complete(_plan.Config.Weights);
        if (written.Count == 0)
        {
            throw new PunaException($"data: expected at least one document to be left, got none of {_counts.Sum(static c => c.Read)} ({Reasons()})");
        }

        var manifest = new DataManifest(
            DataManifest.CurrentFormat,
            _plan.Config,
            new ManifestTokenizer(TokenizerIdentity.HexOf(_plan.Tokenizer), $"{_plan.Tokenizer.Kind}", _plan.Tokenizer.VocabularySize),
            [.. _counts.OrderBy(static c => c.Name, StringComparer.Ordinal).Select(static c => c.ToManifest())],
            groups,
            written,
            _plan.Evaluations?.Records ?? 0,
            _plan.Evaluations?.TooShort ?? 0);
        using (FileStream file = files.Create(Path.Combine(output, DataManifest.FileName)))
        {
            file.Write(manifest.Write());
        }

        _stop.ThrowIfCancellationRequested();

        // The manifest was created last, so it is renamed last: a folder with a manifest is whole.
        files.Commit();
        return manifest;
    }

    public void Dispose()
    {
        _spill.Dispose();
        _deduplicator.Dispose();
    }

    private void Collect()
    {
        long read = 0;
        OrderedBatches.Run(
            Documents(),
            static item => 2L * item.Document.Text.Length,
            _plan.MemoryBytes / 16,
            _plan.Threads,
            () => new DocumentScreen(_plan.Config.Normalize, _plan.Rules, _plan.Languages, _plan.Evaluations, _plan.Config.Dedup.Exact, _plan.Config.Dedup.Near),
            static (screen, item) => screen.Take(item.Document, item.Input.Language),
            (item, outcome) =>
            {
                int source = SourceOf(item.Document.Source ?? item.Input.Source);
                SourceCounts counts = _counts[source];
                counts.Read++;
                counts.Repaired += item.Document.Repaired ? 1 : 0;
                if (outcome.Reason is { } reason)
                {
                    counts.Drop(reason);
                }
                else
                {
                    _spill.Add(outcome.Text, source, _languages.NumberOf(outcome.Language));
                    _deduplicator.Add(outcome.Hash, outcome.Buckets, outcome.Text.Length);
                }

                if (++read % ReportEvery == 0)
                {
                    _report.Progress("documents read", read, null);
                }
            },
            _stop);
    }

    private IEnumerable<(RawDocument Document, PlannedInput Input)> Documents()
    {
        foreach (PlannedInput input in _plan.Inputs)
        {
            var reader = new DocumentReader
            {
                TextSplit = input.Split,
                LongestDocument = _plan.Config.LongestDocumentBytes,
                PassProblems = _plan.Config.BadLines == BadLines.Skip,
            };
            foreach (RawDocument document in reader.Read(input.Path))
            {
                yield return (document, input);
            }
        }
    }

    /// <summary>Documents that no comparison dropped. Counts the others where <paramref name="count"/> says so.</summary>
    private IEnumerable<(string Text, int Source, int Language)> Kept(ExternalSorter drops, bool count)
    {
        using IEnumerator<SortRecord> dropped = drops.Sorted().GetEnumerator();
        bool more = dropped.MoveNext();
        foreach ((long number, string text, int source, int language) in _spill.Read())
        {
            if (!more || dropped.Current.A != (ulong)number)
            {
                yield return (text, source, language);
                continue;
            }

            if (count)
            {
                _counts[source].Drop(dropped.Current.B == (ulong)DropReason.Exact ? "duplicate" : "near_duplicate");
            }

            while (more && dropped.Current.A == (ulong)number)
            {
                more = dropped.MoveNext();
            }
        }
    }

    private ExternalSorter? CountLines(ExternalSorter drops)
    {
        if (_plan.Config.Dedup.Lines is not { } most)
        {
            return null;
        }

        using var counter = new LineCounter(_work, _plan.MemoryBytes / 4, most, _stop);
        long document = 0;
        foreach ((string text, _, _) in Kept(drops, count: false))
        {
            foreach (Range line in text.AsSpan().Split('\n'))
            {
                counter.Add(text.AsSpan()[line], document / _plan.Config.Dedup.LineBucketDocuments);
            }

            document++;
            _stop.ThrowIfCancellationRequested();
        }

        return counter.FindDrops();
    }

    private void Tokenise(ExternalSorter drops, ExternalSorter? lines, ShardSet shards)
    {
        long written = 0;
        OrderedBatches.Run(
            WithoutLines(drops, lines),
            static item => 8L * item.Text.Length,
            _plan.MemoryBytes / 16,
            _plan.Threads,
            static () => new List<int>(),
            (scratch, item) => Encode(item.Text, scratch),
            (item, tokens) =>
            {
                string language = _languages[item.Language];
                SourceCounts counts = _counts[item.Source];
                string group = _plan.Config.GroupBy switch
                {
                    DataGrouping.Source => counts.Name,
                    DataGrouping.Language => language,
                    _ => $"{counts.Name}/{language}",
                };
                counts.Keep(language, tokens.Length);
                shards.Add(group, IsValidation(item.Text), tokens, Encoding.UTF8.GetByteCount(item.Text));
                if (++written % ReportEvery == 0)
                {
                    _report.Progress("documents tokenised", written, _spill.Count);
                }
            },
            _stop);
    }

    /// <summary>The kept documents without the lines that occur too often.</summary>
    private IEnumerable<(string Text, int Source, int Language)> WithoutLines(ExternalSorter drops, ExternalSorter? lines)
    {
        if (lines is null)
        {
            foreach ((string, int, int) document in Kept(drops, count: true))
            {
                yield return document;
            }

            yield break;
        }

        using IEnumerator<SortRecord> dropped = lines.Sorted().GetEnumerator();
        ulong next = dropped.MoveNext() ? dropped.Current.A : ulong.MaxValue;
        ulong number = 0;
        var text = new StringBuilder();
        foreach ((string whole, int source, int language) in Kept(drops, count: true))
        {
            text.Clear();
            bool first = true;
            foreach (Range line in Lines(whole))
            {
                if (number++ == next)
                {
                    _counts[source].LinesDropped++;
                    next = dropped.MoveNext() ? dropped.Current.A : ulong.MaxValue;
                    continue;
                }

                text.Append(first ? "" : "\n").Append(whole.AsSpan()[line]);
                first = false;
            }

            string left = _plan.Config.Normalize.Apply(text.ToString());
            if (string.IsNullOrWhiteSpace(left))
            {
                _counts[source].Drop(NoLinesLeft);
            }
            else
            {
                yield return (left, source, language);
            }
        }
    }

    private static List<Range> Lines(string text)
    {
        var lines = new List<Range>();
        foreach (Range line in text.AsSpan().Split('\n'))
        {
            lines.Add(line);
        }

        return lines;
    }

    private int[] Encode(string text, List<int> scratch)
    {
        scratch.Clear();
        if (_plan.Config.Bos && _plan.Tokenizer.BosId is int bos)
        {
            scratch.Add(bos);
        }

        _plan.Tokenizer.Encode(text, scratch);
        if (_plan.Config.Eos && _plan.Tokenizer.EosId is int eos)
        {
            scratch.Add(eos);
        }

        return CollectionsMarshal.AsSpan(scratch).ToArray();
    }

    /// <summary>Of the text and the seed alone: a text stays on its side whatever else is in the inputs.</summary>
    private bool IsValidation(string text)
    {
        const ulong Purpose = 0x5641_4C49;
        return (Philox.Block(_plan.Config.Seed, TextHash.Of(text), Purpose).Low >> 11) * (1.0 / (1UL << 53)) < _plan.Config.ValidationShare;
    }

    private int SourceOf(string name)
    {
        int number = _sources.NumberOf(name);
        if (number == _counts.Count)
        {
            _counts.Add(new SourceCounts(name));
        }

        return number;
    }

    private string Reasons()
    {
        var reasons = new SortedDictionary<string, long>(StringComparer.Ordinal);
        foreach (SourceCounts counts in _counts)
        {
            foreach ((string reason, long count) in counts.ToManifest().Dropped)
            {
                reasons[reason] = reasons.GetValueOrDefault(reason) + count;
            }
        }

        return string.Join(", ", reasons.Select(static r => $"{r.Key} {r.Value}"));
    }
}
