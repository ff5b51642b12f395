using System.Diagnostics;
using System.Globalization;
using Puna.Models;
using Puna.Models.Checkpoints;
using Puna.Tensors;

namespace Puna.Bench.Experts;

/// <summary>
/// What a token costs when routed experts are read from disk: <c>experts MODEL.gguf [--decode N] [--prefill N] [--threads N]</c>. All experts packed in memory, all left in the file and in the file cache, and then with
/// room for a part of them only. Each row of the table is one state; tokens are drawn at random, the same ones for every row.
/// </summary>
internal static class ExpertsReport
{
    private const long RateBytes = 1L << 30;

    /// <summary>Runs the report.</summary>
    /// <param name="args">As above.</param>
    public static int Run(string[] args)
    {
        (string? path, int decode, int prefill, int threads) = (null, 48, 128, 0);
        for (int i = 0; i < args.Length; i++)
        {
            bool isNumber = i + 1 < args.Length && int.TryParse(args[i + 1], NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number > 0;
            if (args[i] is "--decode" or "--prefill" or "--threads" && isNumber)
            {
                int value = int.Parse(args[i + 1], CultureInfo.InvariantCulture);
                (decode, prefill, threads) = args[i++] switch { "--decode" => (value, prefill, threads), "--prefill" => (decode, value, threads), _ => (decode, prefill, value) };
            }
            else if (path is null && !args[i].StartsWith('-'))
            {
                path = args[i];
            }
            else
            {
                path = null;
                break;
            }
        }

        if (path is null || !OperatingSystem.IsLinux())
        {
            Console.Error.WriteLine("usage, on Linux: experts MODEL.gguf [--decode N] [--prefill N] [--threads N]");
            return 2;
        }

        try
        {
            Report(path, decode, prefill, threads);
            return 0;
        }
        catch (PunaException e)
        {
            Console.Error.WriteLine($"experts: {e.Message}");
            return 2;
        }
    }

    private static void Report(string path, int decode, int prefill, int threads)
    {
        using var ops = new CpuOps(threads);
        using var pages = new FilePages(path);
        using Checkpoint checkpoint = Checkpoint.Open(path);
        checkpoint.LeaveExperts();
        double rate = pages.ReadRate(RateBytes);
        long start = Stopwatch.GetTimestamp();
        Llama mapped = checkpoint.LoadPacked(ops);
        var shelf = new ExpertShelf(mapped, pages);
        Llama4Config four = checkpoint.Config.Llama4!;
        int layers = four.HasExperts.Count(static x => x);
        long one = shelf.ByteLength / layers / four.Experts;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{ops.Threads} threads, kernels {ops.Path.ToString().ToLowerInvariant()}, {GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 1e9:F1} GB of memory"));
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{new FileInfo(path).Length / 1e9:F2} GB, of which {shelf.ByteLength / 1e9:F2} GB are {layers} x {four.Experts} experts of {one / 1e6:F1} MB; a token is sent to {four.ExpertsPerToken} in each of {layers} layers"));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"the disk gives {rate / 1e9:F2} GB/s from end to end; opened in {Stopwatch.GetElapsedTime(start).TotalSeconds:F1} s without the experts"));
        Console.WriteLine();
        Console.WriteLine($"| experts | prefill of {prefill}, tokens/s | decode, tokens/s | ms per token, median (least to greatest) | read per token | experts read of those used |");
        Console.WriteLine("| --- | --- | --- | --- | --- | --- |");

        // Code that runs for the first time is compiled: once before anything is timed.
        shelf.Fill();
        _ = new ExpertsLoop(mapped, ops, shelf).Run(Math.Min(prefill, 16), 4, static () => { });

        shelf.Fill();
        Row("left in the file, all in the file cache", mapped, shelf, () => { });
        foreach ((string part, int share) in new[] { ("half", 2), ("a quarter", 4), ("an eighth", 8) })
        {
            shelf.Empty();
            Row($"left in the file, room for {part}", mapped, shelf, () => shelf.Keep(shelf.ByteLength / share));
        }

        shelf.Empty();
        Row("left in the file, none kept from token to token", mapped, shelf, shelf.Empty);
        shelf.Empty();
        pages.Drop(0, 0);
        if (!checkpoint.FitsInMemory)
        {
            Console.WriteLine("| packed in memory | does not fit | | | | |");
            return;
        }

        Llama packed = checkpoint.LoadPacked(ops, mapExperts: false);
        _ = new ExpertsLoop(packed, ops, null).Run(Math.Min(prefill, 16), 4, static () => { });
        Row("packed in memory", packed, null, static () => { });

        void Row(string name, Llama model, ExpertShelf? used, Action between)
        {
            ExpertsResult r = new ExpertsLoop(model, ops, used).Run(prefill, decode, between);
            double[] sorted = [.. r.Milliseconds.Order()];
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"| {name} | {prefill / r.PrefillSeconds:F1} | {1000 / sorted.Average():F2} | {sorted[sorted.Length / 2]:F0} ({sorted[0]:F0} to {sorted[^1]:F0}) | {r.BytesRead / 1e6 / decode:F0} MB | {(used is null ? "" : $"{Math.Min(r.BytesRead / (double)one, r.ExpertsUsed) / r.ExpertsUsed * 100:F0} %")} |"));
        }
    }
}
