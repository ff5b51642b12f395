using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Puna.Tests.Shared;

namespace Puna.Cli.Tests.Commands;

/// <summary><c>puna train data</c> on texts larger than the memory it may use, in a process whose managed heap is limited.</summary>
public sealed class DataMemoryTests : IDisposable
{
    private const long Limit = 24L << 20;
    private readonly string _folder = Directory.CreateTempSubdirectory("puna-data-memory-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>
    /// The same bytes with a heap of 24 MB as without a limit, from 16 MB of text: 32 MB as strings, and 5 MB of hashes for copies. A list of the documents, or sorting in memory, does not fit; the second half shows
    /// that the limit holds: a document that needs more than the heap fails.
    /// </summary>
    [Fact]
    public void TextsLargerThanTheHeapGiveTheSameShards()
    {
        using (var corpus = new StreamWriter(Path.Combine(_folder, "corpus.jsonl")))
        {
            var random = new Random(1);
            for (long written = 0; written < 16 << 20;)
            {
                // Three of four are exact copies of earlier ones: hashed and sorted, but not tokenised, which takes the time.
                var own = new Random(random.Next(4000));
                string text = string.Join(' ', Enumerable.Range(0, 200).Select(_ => own.Next(100_000).ToString(CultureInfo.InvariantCulture)));
                corpus.Write("{\"text\":\"" + text + "\"}\n");
                written += text.Length;
            }
        }

        string config = Path.Combine(_folder, "config.json");
        File.WriteAllText(config, $$"""
            { "tokenizer": {{JsonSerializer.Serialize(TestFiles.Fixture("tokenizers", "tiny-byte-bpe"))}}, "inputs": [{ "path": "corpus.jsonl" }], "memory_mb": 2, "shard_tokens": 1000000 }
            """);
        var limited = new Dictionary<string, string> { ["DOTNET_GCHeapHardLimit"] = Limit.ToString("X", CultureInfo.InvariantCulture) };
        PunaProcess free = PunaProcess.Run("train", "data", "--config", config, "--out", Path.Combine(_folder, "free"));
        PunaProcess bound = PunaProcess.Run(["train", "data", "--config", config, "--out", Path.Combine(_folder, "bound")], null, limited);
        Assert.Equal((0, ""), (free.Code, free.Error));
        Assert.Equal((0, ""), (bound.Code, bound.Error));
        string[] names = [.. Directory.EnumerateFiles(Path.Combine(_folder, "free")).Select(p => Path.GetFileName(p)!)];
        Assert.True(names.Length > 2);
        Assert.All(names, name => Assert.Equal(Hash("free", name), Hash("bound", name)));

        // One document of 6 MB is 12 MB as a string, several times.
        File.WriteAllText(Path.Combine(_folder, "corpus.jsonl"), "{\"text\":\"" + string.Concat(Enumerable.Repeat("many words of one text ", 6 << 20 >> 5)) + "\"}\n");
        Assert.Equal(0, PunaProcess.Run("train", "data", "--config", config, "--out", Path.Combine(_folder, "long")).Code);
        Assert.NotEqual(0, PunaProcess.Run(["train", "data", "--config", config, "--out", Path.Combine(_folder, "too-long")], null, limited).Code);
        Assert.False(File.Exists(Path.Combine(_folder, "too-long", "manifest.json")));
    }

    private string Hash(string folder, string name) => Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(Path.Combine(_folder, folder, name))));
}
