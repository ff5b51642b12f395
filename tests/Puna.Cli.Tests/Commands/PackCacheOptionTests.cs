using System.Diagnostics;
using Puna.Tests.Shared;

namespace Puna.Cli.Tests.Commands;

/// <summary><c>--pack-cache</c> and <c>PUNA_PACK_CACHE</c>; what the cache itself does is tested where it is.</summary>
public sealed class PackCacheOptionTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("puna-cli-").FullName;

    private string Cache => Path.Combine(_folder, "cache");

    private string[] Packs => Directory.Exists(Cache) ? Directory.GetFiles(Cache, "*.punapack") : [];

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void TheSecondStartWritesTheSameLogits()
    {
        byte[] expected = Logits();
        Assert.Empty(Packs);
        Assert.Equal(expected, Logits("--pack-cache", Cache));
        string pack = Assert.Single(Packs);
        DateTime written = File.GetLastWriteTimeUtc(pack);
        Assert.Equal(expected, Logits("--pack-cache", Cache, "--threads", "1"));
        Assert.Equal(written, File.GetLastWriteTimeUtc(pack));
    }

    [Fact]
    public void EveryCommandThatComputesHasIt()
    {
        string model = TestModels.WriteTiny(Path.Combine(_folder, "m.gguf"));
        string text = Path.Combine(_folder, "t.txt");
        File.WriteAllText(text, "The storm came.\n");
        string[][] commands =
        [
            ["run", "--model", model, "--max-tokens", "3", "Once"],
            ["perplexity", "--model", model, "--file", text],
            ["bench", "--model", model, "--prefill", "2", "--decode", "1", "--runs", "1"],
        ];
        foreach (string[] command in commands)
        {
            CliRun run = CliRun.Of([.. command, "--pack-cache", Cache]);
            Assert.Equal((0, ""), (run.Code, run.Error));
            File.Delete(Assert.Single(Packs));
        }
    }

    [Fact]
    public void DamageIsOneLineAndNoFailure()
    {
        byte[] expected = Logits("--pack-cache", Cache);
        string pack = Assert.Single(Packs);
        byte[] bytes = File.ReadAllBytes(pack);
        bytes[^100] ^= 1;
        File.WriteAllBytes(pack, bytes);
        CliRun run = Run(out byte[] logits, "--pack-cache", Cache);
        Assert.Equal((0, ""), (run.Code, run.Out));
        Assert.Equal(expected, logits);
        Assert.StartsWith($"puna: warning: pack cache {Cache}: packing anew: packed weight ", run.Error, StringComparison.Ordinal);
        Assert.Equal(run.Error.Length - 1, run.Error.IndexOf('\n', StringComparison.Ordinal));
        Assert.Equal(expected, Logits("--pack-cache", Cache));
    }

    [Fact]
    public void ItDoesNotGoTogetherWithReadingTheFile() =>
        CliRun.Of("logits", "--tokens", "1", "--out", "x.npy", "--pack-cache", Cache, "--no-mmap").AssertRefused("options --pack-cache and --no-mmap exclude each other");

    [Fact]
    public void TheVariableStandsForTheOption()
    {
        string own = Path.Combine(_folder, "own");
        Start("--no-mmap");
        Assert.Empty(Packs); // files that are read go past it
        Start();
        Assert.Single(Packs);
        Start("--pack-cache", own);
        Assert.Single(Directory.GetFiles(own, "*.punapack"));

        void Start(params string[] more)
        {
            string[] args = ["logits", "--model", TestModels.Random, "--tokens", "1,2", "--out", Path.Combine(_folder, "v.npy"), .. more];
            PunaProcess run = PunaProcess.Run(args, null, new Dictionary<string, string> { ["PUNA_PACK_CACHE"] = Cache });
            Assert.Equal((0, "", ""), (run.Code, run.Out, run.Error));
        }
    }

    [Fact]
    public void ADiskThatIsFullCostsAWarning()
    {
        // A limit on the size of files stands for the disk: the write fails half way. The runtime's own files in memory must not meet it.
        Assert.SkipUnless(OperatingSystem.IsLinux(), "needs a shell that limits files");
        string to = Path.Combine(_folder, "full.npy");
        string command = $"trap '' XFSZ; ulimit -f 100; export DOTNET_EnableWriteXorExecute=0; exec '{Path.Combine(AppContext.BaseDirectory, "puna")}' logits --model '{TestModels.Random}' --tokens 1,5 --out '{to}' --pack-cache '{Cache}'";
        using Process process = Process.Start(new ProcessStartInfo("bash", ["-c", command]) { RedirectStandardError = true })!;
        string error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
        Assert.StartsWith($"puna: warning: pack cache {Cache}: cannot be written: ", error, StringComparison.Ordinal);
        Assert.Equal(error.Length - 1, error.IndexOf('\n', StringComparison.Ordinal));
        Assert.DoesNotContain(Directory.GetFileSystemEntries(Cache), static file => file.Contains("punapack", StringComparison.Ordinal));
        Assert.True(File.Exists(to));
    }

    private static CliRun Of(string to, string[] more) => CliRun.Of(["logits", "--model", TestModels.Random, "--tokens", "1,5,9", "--out", to, .. more]);

    private CliRun Run(out byte[] logits, params string[] more)
    {
        string to = Path.Combine(_folder, "l.npy");
        CliRun run = Of(to, more);
        logits = File.ReadAllBytes(to);
        return run;
    }

    private byte[] Logits(params string[] more)
    {
        CliRun run = Run(out byte[] logits, more);
        Assert.Equal((0, "", ""), (run.Code, run.Out, run.Error));
        return logits;
    }
}
