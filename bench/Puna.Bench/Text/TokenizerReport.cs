using System.Diagnostics;
using System.Globalization;
using System.Text;
using Puna.Formats.Gguf;
using Puna.Text;

namespace Puna.Bench.Text;

/// <summary>
/// Speed of the tokenizers on one thread: <c>-- tokenizers [--json] [--runs N] [--only NAME] [--texts FOLDER]</c>. Real vocabularies come from the assets (PUNA_ASSETS, or
/// ../shared/assets), small ones from the fixtures; <c>tokenizer.json</c> and GGUF are written by Puna from the same vocabulary.
/// </summary>
internal static class TokenizerReport
{
    /// <summary>Prints a table, or with <c>--json</c> one object a line.</summary>
    public static int Run(ReadOnlySpan<string> options)
    {
        bool json = false;
        int runs = 7;
        string? only = null, texts = null;
        for (int i = 0; i < options.Length; i++)
        {
            string? value = i + 1 < options.Length ? options[i + 1] : null;
            switch (options[i])
            {
                case "--json": json = true; break;
                case "--runs" when int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out runs) && runs > 0: i++; break;
                case "--only" when value is not null: only = value; i++; break;
                case "--texts" when value is not null: texts = value; i++; break;
                default:
                    Console.Error.WriteLine($"option {options[i]}: expected --json, --runs N, --only NAME or --texts FOLDER");
                    return 2;
            }
        }

        string root = Root();
        List<(string Name, string Text)> all = [.. BenchTexts.All(root)];
        if (texts is not null)
        {
            Directory.CreateDirectory(texts);
            all.ForEach(text => File.WriteAllText(Path.Combine(texts, text.Name + ".txt"), text.Text));
        }

        string folder = Directory.CreateTempSubdirectory("puna-bench-").FullName;
        try
        {
            foreach ((string name, string path) in Files(root, folder, only))
            {
                Report(name, path, all, runs, json);
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        return 0;
    }

    private static void Report(string name, string path, List<(string Name, string Text)> texts, int runs, bool json)
    {
        Tokenizer tokenizer = Open(path);
        (double, double) open = Measure(runs, () => Open(path));
        Print(json, name, "open", new FileInfo(path).Length, tokenizer.VocabularySize, 0, open);
        var ids = new List<int>();
        foreach ((string textName, string text) in texts)
        {
            (double, double) seconds = Measure(runs, () =>
            {
                ids.Clear();
                tokenizer.Encode(text, ids);
            });
            Print(json, name, textName, Encoding.UTF8.GetByteCount(text), ids.Count, Hash(ids), seconds);
        }

        tokenizer.Encode(texts[0].Text, ids = []);
        int[] encoded = [.. ids];
        (double, double) decode = Measure(runs, () => tokenizer.Decode(encoded));
        Print(json, name, "decode " + texts[0].Name, Encoding.UTF8.GetByteCount(texts[0].Text), encoded.Length, 0, decode);
    }

    private static void Print(bool json, string name, string text, long bytes, int tokens, uint hash, (double Median, double Cpu) seconds) => Console.WriteLine(json
        ? string.Create(CultureInfo.InvariantCulture, $$"""{"tokenizer":"{{name}}","text":"{{text}}","bytes":{{bytes}},"tokens":{{tokens}},"hash":{{hash}},"seconds":{{seconds.Median:R}},"cpu":{{seconds.Cpu:R}}}""")
        : string.Create(CultureInfo.InvariantCulture, $"{name,-20} {text,-14} {bytes,9} bytes {tokens,8} tokens {seconds.Median * 1e3,9:0.00} ms {bytes / seconds.Median / 1e6,8:0.0} MB/s ({bytes / seconds.Cpu / 1e6:0.0} by processor time)"));

    /// <summary>Median time and least processor time (which a busy machine disturbs less) of several runs, after two to warm up and as many more as 0.3 s hold.</summary>
    private static (double Median, double Cpu) Measure(int runs, Action action)
    {
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < 2 || (i < 50 && Stopwatch.GetElapsedTime(start).TotalSeconds < 0.3); i++)
        {
            action();
        }

        var seconds = new double[runs];
        double cpu = double.MaxValue;
        for (int i = 0; i < runs; i++)
        {
            TimeSpan used = Environment.CpuUsage.TotalTime;
            start = Stopwatch.GetTimestamp();
            action();
            seconds[i] = Stopwatch.GetElapsedTime(start).TotalSeconds;
            cpu = Math.Min(cpu, (Environment.CpuUsage.TotalTime - used).TotalSeconds);
        }

        Array.Sort(seconds);
        return (seconds[runs / 2], cpu);
    }

    private static Tokenizer Open(string path)
    {
        if (!path.EndsWith(".gguf", StringComparison.Ordinal))
        {
            return TokenizerLoader.Open(path);
        }

        using GgufFile file = GgufFile.Open(path);
        return GgufTokenizer.Create(file.Metadata, path) ?? throw new InvalidOperationException(path);
    }

    /// <summary>Each vocabulary in each of its forms.</summary>
    private static IEnumerable<(string Name, string Path)> Files(string root, string folder, string? only)
    {
        string? home = Environment.GetEnvironmentVariable("PUNA_ASSETS");
        string assets = string.IsNullOrEmpty(home) ? Path.Combine(root, "..", "shared", "assets") : home;
        string fixtures = Path.Combine(root, "tests", "fixtures", "tokenizers");
        foreach ((string name, string model) in ((string, string)[])
            [
                ("llama3", Path.Combine(assets, "llama3", "tokenizer.model")),
                ("llama4", Path.Combine(assets, "llama4", "tokenizer.model")),
                ("llama2", Path.Combine(assets, "llama2", "tokenizer.model")),
                ("tiny-ranks", Path.Combine(fixtures, "tiny-ranks", "tokenizer.model")),
                ("tiny-spm", Path.Combine(fixtures, "tiny-spm", "tokenizer.model")),
            ])
        {
            if (!File.Exists(model))
            {
                Console.Error.WriteLine($"{name}: left out, there is no {model}");
                continue;
            }

            string json = Path.Combine(folder, name + ".json"), gguf = Path.Combine(folder, name + ".gguf");
            foreach ((string form, string path) in ((string, string)[])[(name + ".model", model), (name + ".json", json), (name + ".gguf", gguf)])
            {
                if (only is null || form.StartsWith(only, StringComparison.Ordinal))
                {
                    Write(model, path);
                    yield return (form, path);
                }
            }
        }
    }

    private static void Write(string model, string path)
    {
        if (path == model)
        {
            return;
        }

        Tokenizer tokenizer = TokenizerLoader.Open(model);
        if (path.EndsWith(".json", StringComparison.Ordinal))
        {
            TokenizerWriter.WriteJson(tokenizer, path);
            return;
        }

        var metadata = new GgufMetadata();
        metadata.Set("general.architecture", "llama");
        TokenizerWriter.WriteGguf(tokenizer, metadata);
        using var writer = new GgufWriter(path, metadata);
        writer.Begin();
        writer.Complete();
    }

    /// <summary>FNV-1a over the ids, to see that peers give the same.</summary>
    private static uint Hash(List<int> ids)
    {
        uint hash = 2166136261;
        foreach (int id in ids)
        {
            hash = unchecked((hash ^ (uint)id) * 16777619);
        }

        return hash;
    }

    private static string Root()
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "Puna.slnx")))
        {
            folder = Path.GetDirectoryName(folder);
        }

        return folder ?? throw new InvalidOperationException("Puna.slnx not found above " + AppContext.BaseDirectory);
    }
}
