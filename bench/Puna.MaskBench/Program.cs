using Puna.MaskBench;
using Puna.Runtime.Constraints;
using Puna.Tensors;
using Puna.Text;

const string Usage = """
    usage: bench/maskbench DIR --tokenizer MODEL [--json]

    Compiles the schema of every DIR/*.json ({"schema":..,"tests":[{"valid":..,"data":..}]}) to token masks, writes each instance as compact JSON, and walks
    its tokens: one mask per token, on one thread.

      --tokenizer MODEL  a tokenizer: a file or a folder
      --json             one line of JSON per file, then the totals, instead of a table
    """;

string? folder = null;
string? tokenizerPath = null;
bool json = false;
for (int i = 0; i < args.Length; i++)
{
    switch (args[i])
    {
        case "--help" or "-h":
            Console.WriteLine(Usage);
            return 0;
        case "--json":
            json = true;
            break;
        case "--tokenizer" when i + 1 < args.Length:
            tokenizerPath = args[++i];
            break;
        case var other when folder is null && !other.StartsWith('-'):
            folder = other;
            break;
        default:
            Console.Error.WriteLine($"maskbench: argument: expected DIR, --tokenizer MODEL or --json, got {args[i]} (command line)");
            return 2;
    }
}

if (folder is null || tokenizerPath is null)
{
    Console.Error.WriteLine($"maskbench: {(folder is null ? "DIR" : "--tokenizer")}: expected a value, got none (command line)");
    return 2;
}

try
{
    if (!Directory.Exists(folder))
    {
        throw new PunaException($"folder {folder}: expected one of JSON files, got none (command line)");
    }

    string[] files = Directory.GetFiles(folder, "*.json");
    Array.Sort(files, StringComparer.Ordinal);
    if (files.Length == 0)
    {
        throw new PunaException($"folder {folder}: expected JSON files, got none (command line)");
    }

    Tokenizer tokenizer = TokenizerLoader.Open(tokenizerPath);
    var run = new MaskBenchRun(tokenizer, VocabularyTrie.Create(tokenizer));

    // Just-in-time compilation is no part of what is measured.
    run.WarmUp();
    var totals = new MaskBenchTotals();
    foreach (string file in files)
    {
        MaskBenchResult result = run.Measure(file);
        totals.Add(result);
        Console.WriteLine(json ? result.ToJson() : result.ToText());
    }

    Console.WriteLine(json ? totals.ToJson() : totals.ToText());
    return 0;
}
catch (Exception error) when (error is PunaException or IOException or UnauthorizedAccessException)
{
    Console.Error.WriteLine($"maskbench: {error.Message}");
    return 1;
}
