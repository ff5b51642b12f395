using System.IO.Compression;
using System.Text;
using System.Text.Json;
using Puna.Tensors;
using Puna.Tests.Shared;
using Puna.Text;
using Puna.Training.Data;
using Puna.Training.Recipes;
using Puna.Training.Recipes.Pretraining;
using Puna.Training.Tests.Data;

namespace Puna.Training.Tests;

/// <summary>From files to shards: what comes out is what a plain computation says, whatever threads and memory there are, and what is interrupted or refused leaves nothing behind.</summary>
public sealed class DataRecipeTests : IDisposable
{
    private static readonly string _tokenizerPath = TestFiles.Fixture("tokenizers", "tiny-byte-bpe");
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void DocumentsArriveAsTheTokensOfTheirTexts()
    {
        string[] texts = ["The first document.", "Zweites, mit Umlauten: äöü", "e\u0301tude\r\nwith a line"];
        Write("a.jsonl", string.Join('\n', texts.Select(t => JsonSerializer.Serialize(new Dictionary<string, string> { ["text"] = t }))));
        string summary = Run("""{ "tokenizer": "TOKENIZER", "inputs": [{ "path": "a.jsonl" }] }""");
        using Dataset set = Dataset.Open(_folder.File("out"));
        Tokenizer tokenizer = TokenizerLoader.Open(_tokenizerPath);
        set.Require(tokenizer);
        TokenShard shard = Assert.Single(set.Shards("default"));
        shard.Verify();
        var document = new TokenDocument();
        string[] normalised = [texts[0], texts[1], "étude\nwith a line"];
        for (int i = 0; i < 3; i++)
        {
            shard.Read(i, document);
            int[] expected = [.. tokenizer.BosId is int bos ? [bos] : Array.Empty<int>(), .. tokenizer.Encode(normalised[i]), .. tokenizer.EosId is int eos ? [eos] : Array.Empty<int>()];
            Assert.Equal(expected, document.Tokens);
            Assert.Equal(Encoding.UTF8.GetByteCount(normalised[i]), document.TextBytes);
        }

        Assert.StartsWith($"default: 3 of 3 documents, {shard.Tokens} tokens\n", summary, StringComparison.Ordinal);
        Assert.Equal(["default-train-00000.punatok", "manifest.json"], new DirectoryInfo(_folder.File("out")).GetFiles().Select(f => f.Name).Order(StringComparer.Ordinal));
    }

    /// <summary>A run opens its shards once, not again for every validation.</summary>
    [Fact]
    public void ASourceOfShardsStaysOpen()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "mapped files cannot be moved there");
        Write("a.jsonl", """{"text":"The first document."}""");
        Run("""{ "tokenizer": "TOKENIZER", "inputs": [{ "path": "a.jsonl" }] }""");
        Tokenizer tokenizer = TokenizerLoader.Open(_tokenizerPath);
        using var source = new ShardSource(_folder.File("out"), 1);
        var (first, again) = (new TokenDocument(), new TokenDocument());
        source.Open(tokenizer, heldOut: false).Next(first);
        Directory.Move(_folder.File("out"), _folder.File("elsewhere"));
        source.Open(tokenizer, heldOut: false).Next(again);
        Assert.Equal(first.Tokens, again.Tokens);
    }

    [Fact]
    public void EveryDocumentIsCountedUnderItsSourceAndReason()
    {
        string near = string.Join(' ', CorpusMaker.Words(new Random(1), 120));
        string lines = string.Concat(Enumerable.Range(0, 3).Select(_ => "a line of all\n"));
        string[] own = [.. Enumerable.Range(0, 3).Select(i => string.Join(' ', CorpusMaker.Words(new Random(10 + i), 60)))];
        Write("web/b.txt", $"one two three\n\n{near}\n\n{near} more\n\none two three\n\nx\n");
        Write("web/a.jsonl.gz", "{\"text\":\"one two three\",\"source\":\"mail\"}\n{\"text\":\" \\n\"}\nbroken\n{\"text\":\"das ist nicht für uns und auch nicht für euch\"}\n");
        Write("lines.jsonl", string.Join('\n', Enumerable.Range(0, 3).Select(i => JsonSerializer.Serialize(new Dictionary<string, string> { ["text"] = $"{lines}{own[i]}", ["lang"] = "en" }))));
        Write("eval.jsonl", JsonSerializer.Serialize(new Dictionary<string, string> { ["question"] = "What is it that nobody who has seen", ["answer"] = "the high plain in winter would forget" }) + "\n{\"q\":\"short\"}\n");
        Write("leak.txt", "So they said: what IS it that nobody, who has seen the high plain in winter, would forget? I cannot say.\n\nWhat is it that nobody who has seen the high plains in winter would ever forget?");
        Run("""
            {
              "tokenizer": "TOKENIZER",
              "inputs": [{ "path": "web", "source": "web" }, { "path": "lines.jsonl", "source": "lines" }, { "path": "leak.txt", "source": "leak" }],
              "filters": { "rules": [{ "code": "too_short", "measure": "characters", "min": 2 }], "languages": ["en", "und"] },
              "dedup": { "lines": 8 },
              "decontaminate": ["eval.jsonl"],
              "bad_lines": "skip"
            }
            """);
        using JsonDocument manifest = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(_folder.File("out"), "manifest.json")));
        string[] sources = [.. manifest.RootElement.GetProperty("sources").EnumerateArray().Select(s =>
            $"{s.GetProperty("source")} {s.GetProperty("read")} {s.GetProperty("kept")} {s.GetProperty("lines_dropped")} " + string.Join(',', s.GetProperty("dropped").EnumerateObject().Select(d => $"{d.Name}:{d.Value}")))];
        Assert.Equal(["leak 2 1 0 contaminated:1", "lines 3 3 9 ", "mail 1 1 0 ", "web 8 1 0 bad_line:1,duplicate:2,empty:1,language:1,near_duplicate:1,too_short:1"], sources);
        Assert.Equal("2 1", $"{manifest.RootElement.GetProperty("evaluation_records")} {manifest.RootElement.GetProperty("evaluation_records_too_short")}");
        using Dataset set = Dataset.Open(_folder.File("out"));
        Assert.Equal(own, Texts(set, "lines"));
        Assert.Equal([near + " more"], Texts(set, "web"));
        Assert.StartsWith("What is it that nobody who has seen the high plains", Assert.Single(Texts(set, "leak")), StringComparison.Ordinal);
    }

    [Fact]
    public void ThreadsAndMemoryChangeNothing()
    {
        WriteCorpus(600);
        string[] Hashes(string output, int memory, int threads)
        {
            Run(Config(memory), output, threads);
            return [.. Directory.EnumerateFiles(_folder.File(output), "*.punatok").Order(StringComparer.Ordinal)
                .Select(p => Path.GetFileName(p) + Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(p))))];
        }

        string[] one = Hashes("one", 512, 1);
        Assert.True(one.Length > 6);
        Assert.Equal(one, Hashes("two", 512, 2));
        Assert.Equal(one, Hashes("three", 1, 3));
        using JsonDocument a = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(_folder.File("one"), "manifest.json")));
        using JsonDocument b = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(_folder.File("three"), "manifest.json")));
        foreach (string key in new[] { "sources", "groups", "shards", "tokenizer" })
        {
            Assert.Equal(a.RootElement.GetProperty(key).GetRawText(), b.RootElement.GetProperty(key).GetRawText());
        }
    }

    [Fact]
    public void HeldBackDocumentsAreTheShareAndStayThoseTheyAre()
    {
        WriteCorpus(600);
        Run(Config(64));
        using Dataset set = Dataset.Open(_folder.File("out"));
        HashSet<string> held = [.. set.Groups.SelectMany(g => Texts(set, g, validation: true))];
        string[] trained = [.. set.Groups.SelectMany(g => Texts(set, g))];
        Assert.DoesNotContain(trained, held.Contains);

        // 10 % of about 600: standard deviation 7.
        Assert.InRange(held.Count, 30, 90);
        Assert.Equal(held.Count, set.Validation().Documents);

        // Half of the corpus, read in another order: no text has changed sides.
        File.WriteAllLines(_folder.File("corpus.jsonl"), File.ReadAllLines(_folder.File("corpus.jsonl")).Reverse().Take(300));
        Run(Config(64), "half");
        using Dataset half = Dataset.Open(_folder.File("half"));
        Assert.DoesNotContain(half.Groups.SelectMany(g => Texts(half, g, validation: true)), trained.Contains);
        Assert.DoesNotContain(half.Groups.SelectMany(g => Texts(half, g)), held.Contains);
    }

    [Fact]
    public void TrainingMixesGroupsInTheirShares()
    {
        WriteCorpus(600);
        Run(Config(64).Replace("\"seed\"", "\"weights\": { \"books\": 3, \"mail\": 1, \"web\": 0 }, \"seed\"", StringComparison.Ordinal));
        using Dataset set = Dataset.Open(_folder.File("out"));
        Assert.Equal(["books", "mail", "web"], set.Groups);
        var stream = (MixtureStream)set.Training(1);
        long[] tokens = new long[3];
        var document = new TokenDocument();
        while (stream.Tokens < 200_000)
        {
            stream.Next(document);
            tokens[stream.LastSource] += document.Tokens.Count;
        }

        Assert.InRange(tokens[0] / (double)stream.Tokens, 0.74, 0.76);
        Assert.Equal(0, tokens[2]);
        Assert.Throws<PunaException>(() => set.Training(1, [new MixturePhase(0, [1])]));
    }

    [Fact]
    public void InterruptedAnywhereNothingIsLeftAndTheNextRunIsWhole()
    {
        WriteCorpus(250);
        Run(Config(1), "whole");
        int reports = 0;
        Run(Config(1), "count", report: new Stopper(int.MaxValue, null, () => reports++));
        Assert.True(reports > 1);
        for (int at = 1; at <= reports; at++)
        {
            using var stop = new CancellationTokenSource();
            OperationCanceledException e = Assert.ThrowsAny<OperationCanceledException>(() => Run(Config(1), report: new Stopper(at, stop, null), stop: stop));
            Assert.Contains("begins anew", e.Message, StringComparison.Ordinal);
            Assert.False(Directory.Exists(_folder.File("out")));
        }

        Run(Config(1));
        string[] names = [.. Directory.EnumerateFiles(_folder.File("whole")).Select(p => Path.GetFileName(p)!)];
        Assert.All(names, name => Assert.Equal(File.ReadAllBytes(Path.Combine(_folder.File("whole"), name)), File.ReadAllBytes(Path.Combine(_folder.File("out"), name))));
    }

    [Fact]
    public void WhatAKilledRunLeftIsSweptAndOtherFilesAreNot()
    {
        Write("a.txt", "some text");
        Write("out/.data-work/documents", "left over");
        Write("out/.default-train-00000.punatok.abc.tmp", "left over");
        Write("out/notes.txt", "mine");
        Run("""{ "tokenizer": "TOKENIZER", "inputs": [{ "path": "a.txt" }] }""");
        Assert.Equal(["default-train-00000.punatok", "manifest.json", "notes.txt"], Directory.EnumerateFileSystemEntries(_folder.File("out")).Select(p => Path.GetFileName(p)!).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void ACompleteFolderIsLeftAlone()
    {
        Write("a.txt", "some text");
        const string Config = """{ "tokenizer": "TOKENIZER", "inputs": [{ "path": "a.txt" }] }""";
        Run(Config);
        Assert.Contains("expected one without results", Assert.Throws<PunaException>(() => Run(Config)).Message, StringComparison.Ordinal);
        Assert.Contains("complete already", Run(Config, resume: true), StringComparison.Ordinal);
        Assert.Contains("of another config", Assert.Throws<PunaException>(() => Run(Config.Replace("{ \"tok", "{ \"seed\": 2, \"tok", StringComparison.Ordinal), resume: true)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"inputs\": []", "config inputs: expected at least one")]
    [InlineData("\"inputs\": [null]", "expected no null")]
    [InlineData("\"inputs\": [{ \"path\": \"a.txt\" }], \"filters\": { \"rules\": [null] }", "expected no null")]
    [InlineData("\"inputs\": [{ \"path\": \"none.txt\" }]", "expected a file or folder, got nothing there")]
    [InlineData("\"inputs\": [{ \"path\": \"a.csv\" }]", "expected a name that ends in")]
    [InlineData("\"inputs\": [{ \"path\": \"empty\" }]", "expected a folder with .txt or .jsonl files")]
    [InlineData("\"inputs\": [{ \"path\": \"a.txt\", \"splitt\": \"file\" }]", "splitt")]
    [InlineData("\"inputs\": [{ \"path\": \"a.txt\" }], \"filters\": { \"presets\": [\"gofer\"] }", "expected gopher_quality, gopher_repetition, fineweb, got gofer")]
    [InlineData("\"inputs\": [{ \"path\": \"a.txt\" }], \"filters\": { \"rules\": [{ \"code\": \"x\", \"measure\": \"words\" }] }", "expected min or max")]
    [InlineData("\"inputs\": [{ \"path\": \"a.txt\" }], \"filters\": { \"rules\": [{ \"code\": \"x\", \"measure\": \"wordz\", \"min\": 1 }] }", "measure")]
    [InlineData("\"inputs\": [{ \"path\": \"a.txt\" }], \"validation_share\": 1", "validation_share: expected at least 0 and less than 1")]
    [InlineData("\"inputs\": [{ \"path\": \"a.txt\" }], \"memory_mb\": 0", "memory_mb: expected 1 to")]
    [InlineData("\"inputs\": [{ \"path\": \"a.txt\" }], \"weights\": { \"wob\": 1 }", "expected groups among default, got wob")]
    [InlineData("\"inputs\": [{ \"path\": \"a.txt\" }], \"decontaminate\": [\"none.jsonl\"]", "none.jsonl: cannot be read")]
    [InlineData("\"inputs\": [{ \"path\": \"bad.jsonl\" }]", "line 2 of")]
    [InlineData("\"inputs\": [{ \"path\": \"a.txt\" }], \"filters\": { \"languages\": [\"xx\"] }", "got none of 1 (language 1)")]
    public void WhatCannotBeUsedIsOneLineAndNoFolder(string rest, string expected)
    {
        Write("a.txt", "some text");
        Write("a.csv", "some text");
        Write("bad.jsonl", "{\"text\":\"good\"}\nbad\n");
        Directory.CreateDirectory(_folder.File("empty"));
        PunaException e = Assert.Throws<PunaException>(() => Run($$"""{ "tokenizer": "TOKENIZER", {{rest}} }"""));
        Assert.Contains(expected, e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
        Assert.False(Directory.Exists(_folder.File("out")));
    }

    [Fact]
    public void TwoRunsDoNotShareAFolder()
    {
        Write("a.txt", "some text");
        Directory.CreateDirectory(_folder.File("out"));
        using (RunClaim.Take(_folder.File("out")))
        {
            Assert.Contains("no other run", Assert.Throws<PunaException>(() => Run("""{ "tokenizer": "TOKENIZER", "inputs": [{ "path": "a.txt" }] }""")).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void ADatasetIsCheckedAgainstItsManifest()
    {
        Write("a.txt", "some text");
        Run("""{ "tokenizer": "TOKENIZER", "inputs": [{ "path": "a.txt" }] }""");
        Write("b.txt", "other text");
        Run("""{ "tokenizer": "TOKENIZER", "inputs": [{ "path": "b.txt" }] }""", "other");
        File.Copy(Path.Combine(_folder.File("other"), "default-train-00000.punatok"), Path.Combine(_folder.File("out"), "default-train-00000.punatok"), overwrite: true);
        Assert.Contains("as in manifest.json", Assert.Throws<PunaException>(() => Dataset.Open(_folder.File("out"))).Message, StringComparison.Ordinal);
        Assert.Throws<PunaException>(() => Dataset.Open(_folder.File("nowhere")));
        using Dataset set = Dataset.Open(_folder.File("other"));
        Assert.Contains("got another", Assert.Throws<PunaException>(() => set.Require(TokenizerLoader.Open(TestFiles.Fixture("tokenizers", "tiny-spm")))).Message, StringComparison.Ordinal);
        Assert.Throws<PunaException>(() => set.Validation());
    }

    [Fact]
    public void LanguagesCanMakeTheGroups()
    {
        Write("a.jsonl", "{\"text\":\"x\",\"lang\":\"en\"}\n{\"text\":\"y\",\"lang\":\"de\"}\n{\"text\":\"z\",\"lang\":\"de\",\"source\":\"web/1\"}\n");
        const string Config = """{ "tokenizer": "TOKENIZER", "inputs": [{ "path": "a.jsonl" }], "group_by": "GROUPS" }""";
        foreach ((string by, string[] groups) in new[] { ("language", new[] { "de", "en" }), ("source_and_language", ["default/de", "default/en", "web/1/de"]), ("source", ["default", "web/1"]) })
        {
            Run(Config.Replace("GROUPS", by, StringComparison.Ordinal), by);
            using Dataset set = Dataset.Open(_folder.File(by));
            Assert.Equal(groups, set.Groups);
        }
    }

    private static string Config(int memory) => $$"""
        {
          "tokenizer": "TOKENIZER", "inputs": [{ "path": "corpus.jsonl" }], "filters": { "rules": [{ "code": "short", "measure": "words", "min": 20 }] },
          "dedup": { "lines": 6 }, "shard_tokens": 12000, "validation_share": 0.1, "seed": 3, "memory_mb": {{memory}}
        }
        """;

    /// <summary>Documents of three sources, some of them copies or nearly, some too short, some with a line that they all have.</summary>
    private void WriteCorpus(int count)
    {
        var random = new Random(1);
        var lines = new List<string>();
        string[] last = CorpusMaker.Words(random, 100);
        for (int i = 0; i < count; i++)
        {
            string[] words = (i % 10) switch
            {
                3 => last,
                5 => CorpusMaker.Near(random, last, 0.9),
                7 => CorpusMaker.Words(random, 10),
                _ => CorpusMaker.Words(random, random.Next(30, 150)),
            };
            string text = string.Join(' ', words) + (i % 4 == 0 ? "\nAll rights reserved." : "");
            lines.Add(JsonSerializer.Serialize(new Dictionary<string, string> { ["text"] = text, ["source"] = (i % 3) switch { 0 => "web", 1 => "books", _ => "mail" } }));
            last = words;
        }

        Write("corpus.jsonl", string.Join('\n', lines));
    }

    private static string[] Texts(Dataset set, string group, bool validation = false)
    {
        Tokenizer tokenizer = TokenizerLoader.Open(_tokenizerPath);
        var document = new TokenDocument();
        var texts = new List<string>();
        foreach (TokenShard shard in set.Shards(group, validation))
        {
            for (long i = 0; i < shard.Documents; i++)
            {
                shard.Read(i, document);
                texts.Add(tokenizer.Decode([.. document.Tokens], skipSpecial: true));
            }
        }

        return [.. texts];
    }

    private string Run(string config, string output = "out", int threads = 2, bool resume = false, IRecipeReport? report = null, CancellationTokenSource? stop = null)
    {
        string path = _folder.File("config.json");
        File.WriteAllText(path, config.Replace("TOKENIZER", _tokenizerPath, StringComparison.Ordinal));
        return new DataRecipe().Run(new RecipeRequest(path, _folder.File(output), resume, threads), report ?? SilentReport.Instance, stop?.Token ?? default);
    }

    private void Write(string name, string text)
    {
        string path = _folder.File(name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        using FileStream file = File.Create(path);
        if (name.EndsWith(".gz", StringComparison.Ordinal))
        {
            using var gzip = new GZipStream(file, CompressionLevel.Fastest);
            gzip.Write(Encoding.UTF8.GetBytes(text));
        }
        else
        {
            file.Write(Encoding.UTF8.GetBytes(text));
        }
    }

    /// <summary>Cancels at the n-th report.</summary>
    private sealed class Stopper(int at, CancellationTokenSource? stop, Action? heard) : IRecipeReport
    {
        private int _reports;

        public void Progress(string stage, long done, long? total)
        {
            heard?.Invoke();
            if (++_reports == at)
            {
                stop?.Cancel();
            }
        }

        public void Line(string text)
        {
        }
    }
}
