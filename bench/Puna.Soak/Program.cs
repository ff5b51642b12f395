using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Puna.DefaultModel;
using Puna.Models.Checkpoints;
using Puna.Formats.Gguf;
using Puna.Runtime.Generation;
using Puna.Runtime.Serving;
using Puna.Server;
using Puna.Soak;
using Puna.Tensors;

const string Usage = """
    usage: bench/soak [--minutes N] [--clients N] [--seed N]

    Serves the embedded model and sends it requests from N clients without a pause (saturation): of every API, streamed or not, with schemas and tools; and clients
    that leave in the middle, read or write slowly, send broken JSON, hostile schemas and odd Unicode. Each minute a line; at every fifth the clients pause for
    somewhat more than a minute, and the managed heap after a forced collection and the memory outside it are measured. The end compares with minute 5. The last line is JSON.

      --minutes N  how long, without the pauses; 30
      --clients N  how many at once; 32
      --seed N     what is drawn; 1
    """;

var idleTime = TimeSpan.FromSeconds(65);
int minutes = 30, clients = 32, seed = 1;
for (int i = 0; i < args.Length; i++)
{
    if (args[i] is "--help" or "-h")
    {
        Console.WriteLine(Usage);
        return 0;
    }

    if (i + 1 >= args.Length || !int.TryParse(args[i + 1], NumberStyles.None, CultureInfo.InvariantCulture, out int value) || value < 1 || args[i] is not ("--minutes" or "--clients" or "--seed"))
    {
        Console.Error.WriteLine($"soak: argument: expected --minutes, --clients or --seed with a number above 0, got {args[i]} (command line)");
        return 2;
    }

    (minutes, clients, seed) = args[i++] switch { "--minutes" => (value, clients, seed), "--clients" => (minutes, value, seed), _ => (minutes, clients, value) };
}

using var ops = new CpuOps();
using Stream stream = DefaultModels.Open(DefaultModels.Default);
var bytes = new NativeStorage(checked((nint)stream.Length), clear: false);
stream.ReadExactly(bytes.Span<byte>(0, checked((int)stream.Length)));
using LanguageModel model = LanguageModel.Open(Checkpoint.OpenGguf(GgufFile.Parse(bytes, DefaultModels.Default)), ops);
await using Engine engine = Engine.Start(model, ops, new EngineOptions());
var served = new ServedModel(DefaultModels.Default, engine, ["default"]);
await using PunaServer server = PunaServer.Create(new PunaServerOptions { Port = 0 }, served);
await server.StartAsync();
int port = new Uri(server.Address).Port;
var tally = new Tally();
var measured = new List<(double Minute, long Managed, long Native)>();
var clock = Stopwatch.StartNew();
int round = 0;
while (clock.Elapsed.TotalMinutes < minutes)
{
    double until = Math.Min(minutes, (Math.Floor(clock.Elapsed.TotalMinutes / 5) + 1) * 5);
    round++;
    Task[] running = [.. Enumerable.Range(0, clients).Select(c => Task.Run(async () =>
    {
        var client = new Client(port, tally);
        var random = new Random(HashCode.Combine(seed, round, c));
        while (clock.Elapsed.TotalMinutes < until)
        {
            await client.OneAsync(random);
        }
    }))];
    Task all = Task.WhenAll(running);
    while (await Task.WhenAny(all, Task.Delay(TimeSpan.FromMinutes(1))) != all)
    {
        EngineStatistics s = engine.Statistics();
        Console.Error.WriteLine($"{clock.Elapsed.TotalMinutes,5:0.0} min  {tally.Requests} requests  {s.GeneratedTokens} tokens  {s.Running} running  {s.Waiting} waiting  {tally.Faults.Count} faults  {Environment.WorkingSet >> 20} MB");
    }

    await all;

    // What clients left behind is given up within a step or two.
    for (int i = 0; i < 300 && engine.Statistics() is { Running: > 0 } or { Waiting: > 0 }; i++)
    {
        await Task.Delay(100);
    }

    clock.Stop();
    EngineStatistics idle = engine.Statistics();
    if (idle.Running > 0 || idle.Waiting > 0 || idle.CacheUsage > 0)
    {
        tally.Fault($"30 s after the last request: {idle.Running} running, {idle.Waiting} waiting, {idle.CacheUsage:P1} of the cache held");
    }

    // Compiled constraints are kept up to a number of bytes; how many there are just now is no leak, and would hide one.
    served.Constraints.Clear();
    long atOnce = Collect();

    // The array pool and Kestrel's pool give back what nobody has used for a minute: how much the last burst of requests left in them is no leak either.
    await Task.Delay(idleTime);
    measured.Add((clock.Elapsed.TotalMinutes, Collect(), NativeStorage.LiveBytes));
    Console.Error.WriteLine($"{clock.Elapsed.TotalMinutes,5:0.0} min  managed {atOnce / 1048576.0:0.00} MB at once, {measured[^1].Managed / 1048576.0:0.00} MB after a minute  outside {measured[^1].Native / 1048576.0:0.00} MB");
    clock.Start();
}

long first = measured[0].Managed + measured[0].Native, last = measured[^1].Managed + measured[^1].Native;
double growth = (double)last / first - 1;
if (measured.Count > 1 && growth > 0.02)
{
    tally.Fault($"memory grew by {growth:P1} from minute {measured[0].Minute:0.0} to minute {measured[^1].Minute:0.0}");
}

var drain = Stopwatch.StartNew();
await server.StopAsync();
foreach (string fault in tally.Faults)
{
    Console.Error.WriteLine("fault: " + fault);
}

Console.WriteLine(new JsonObject
{
    ["minutes"] = Math.Round(clock.Elapsed.TotalMinutes, 1),
    ["clients"] = clients,
    ["requests"] = tally.Requests,
    ["outcomes"] = new JsonObject(tally.Outcomes.Select(static o => KeyValuePair.Create<string, JsonNode?>(o.Key, o.Value))),
    ["memory"] = new JsonArray([.. measured.Select(static m => (JsonNode)new JsonObject { ["minute"] = Math.Round(m.Minute, 1), ["managed"] = m.Managed, ["native"] = m.Native })]),
    ["growth"] = Math.Round(growth, 4),
    ["drain_seconds"] = Math.Round(drain.Elapsed.TotalSeconds, 2),
    ["faults"] = tally.Faults.Count,
}.ToJsonString());
return tally.Faults.Count == 0 ? 0 : 1;

static long Collect()
{
    for (int i = 0; i < 3; i++)
    {
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        GC.WaitForPendingFinalizers();
    }

    return GC.GetTotalMemory(true);
}
