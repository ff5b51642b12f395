using System.Globalization;
using System.Text;
using Puna.Fuzz;

const string Usage = """
    usage: Puna.Fuzz [all|TARGET...] [--iterations N] [--seed S] [--only I] [--kinds] [--out FOLDER]

      --iterations N   mutated inputs per target (100000)
      --seed S         which sequence of inputs (1)
      --only I         run only input I of the sequence
      --watchdog S     seconds that one input may take (5)
      --kinds          also list the kinds of refusals
      --out FOLDER     where findings are saved (a folder "puna-fuzz" for temporary files)
    """;

long iterations = 100_000;
long seed = 1;
long? only = null;
long watchdog = 5;
bool kinds = false;
string folder = Path.Combine(Path.GetTempPath(), "puna-fuzz");
var targets = new List<IFuzzTarget>();
for (int i = 0; i < args.Length; i++)
{
    string argument = args[i];
    bool number = long.TryParse(i + 1 < args.Length ? args[i + 1] : null, NumberStyles.None, CultureInfo.InvariantCulture, out long value);
    switch (argument)
    {
        case "--iterations" when number: iterations = value; i++; break;
        case "--seed" when number: seed = value; i++; break;
        case "--only" when number: only = value; i++; break;
        case "--watchdog" when number && value > 0: watchdog = value; i++; break;
        case "--out" when i + 1 < args.Length: folder = args[++i]; break;
        case "--kinds": kinds = true; break;
        case "all": targets.AddRange(FuzzTargets.All); break;
        case "--help" or "-h":
            Console.WriteLine(Usage);
            Console.WriteLine("\ntargets: " + string.Join(", ", FuzzTargets.All.Select(t => t.Name)));
            return 0;
        default:
            if (FuzzTargets.All.FirstOrDefault(t => t.Name == argument) is not { } known)
            {
                Console.Error.WriteLine($"unknown target or option {argument}; targets are {string.Join(", ", FuzzTargets.All.Select(t => t.Name))}");
                return 2;
            }

            targets.Add(known);
            break;
    }
}

Directory.CreateDirectory(folder);
bool found = false;
foreach (IFuzzTarget target in targets.Count > 0 ? targets : [.. FuzzTargets.All])
{
    // A stack overflow or an access violation ends the process at once: this file then says which input it was.
    string notePath = Path.Combine(folder, $"{target.Name}-running.txt");
    using (Microsoft.Win32.SafeHandles.SafeFileHandle note = File.OpenHandle(notePath, FileMode.Create, FileAccess.Write, FileShare.Read))
    {
        void Note(long i) => RandomAccess.Write(note, Encoding.ASCII.GetBytes($"{target.Name} --seed {seed} --only {i}".PadRight(80)), 0);
        var runner = new FuzzRunner(target, seed, Note) { Watchdog = TimeSpan.FromSeconds(watchdog) };
        FuzzReport report = runner.Run(only ?? 0, only is null ? iterations : 1);
        Console.WriteLine(report);
        foreach ((string kind, int count) in kinds ? runner.Refusals.OrderByDescending(pair => pair.Value).Take(100) : [])
        {
            Console.WriteLine($"  {count,8} {kind}");
        }

        if (report.Finding is { } finding)
        {
            found = true;
            string saved = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{target.Name}-{seed}-{finding.Iteration}.bin"));
            File.WriteAllBytes(saved, finding.Input);
            Console.WriteLine($"  {target.Name} --seed {seed} --only {finding.Iteration}: {finding.Problem}");
            Console.WriteLine($"  input of {finding.Input.Length} bytes saved as {saved}");
        }
    }

    File.Delete(notePath);
}

return found ? 1 : 0;
