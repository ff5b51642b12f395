using System.Diagnostics;
using System.Globalization;
using Puna.Formats.Gguf;
using Puna.Models;
using Puna.Models.Checkpoints;
using Puna.Models.Conversion;
using Puna.Models.Quantization;
using Puna.Tensors;
using Puna.Tensors.Quantization;

// Writes a GGUF file with the shape of a released model and random weights: and a vocabulary of its size: for timing and memory, not for reading.
const string Usage = "usage: random-model OUT.gguf [--preset llama-3.2-1b] [--type q8_0] [--seed 1] [--layers N]";
string? output = null;
string preset = "llama-3.2-1b";
string typeName = "q8_0";
int seed = 1;
int? layers = null;
for (int i = 0; i < args.Length; i++)
{
    bool hasValue = i + 1 < args.Length;
    switch (args[i])
    {
        case "--preset" when hasValue:
            preset = args[++i];
            break;
        case "--type" when hasValue:
            typeName = args[++i];
            break;
        case "--seed" when hasValue && int.TryParse(args[i + 1], CultureInfo.InvariantCulture, out seed):
            i++;
            break;
        case "--layers" when hasValue && int.TryParse(args[i + 1], CultureInfo.InvariantCulture, out int n) && n > 0:
            layers = n;
            i++;
            break;
        case string name when output is null && !name.StartsWith('-'):
            output = name;
            break;
        default:
            Console.Error.WriteLine(Usage);
            return 2;
    }
}

if (output is null || !LlamaPresets.All.TryGetValue(preset, out LlamaConfig? config) || !FileTypes.TryParse(typeName, out FileType type))
{
    Console.Error.WriteLine(Usage);
    Console.Error.WriteLine($"presets: {string.Join(", ", LlamaPresets.All.Keys)}; types: {string.Join(", ", FileTypes.All.Select(t => t.Name()))}");
    return 2;
}

if (layers is int cut)
{
    config = config with
    {
        Layers = cut,
        Llama4 = config.Llama4 is { } four
            ? four with { HasExperts = [.. four.HasExperts.Take(cut)], IsRotary = [.. four.IsRotary.Take(cut)], IsLocal = [.. four.IsLocal.Take(cut)] }
            : null,
    };
}

var watch = Stopwatch.StartNew();
var mix = new QuantizationMix(type, new MixModel(config.Layers, config.Heads, config.KvHeads, config.TiedEmbeddings));
GgufMetadata metadata = GgufMetadataWriter.Write(config, (int)type, type.DefaultType().IsBlock(), $"random {preset}");
if (config.Vocab < 258)
{
    Console.Error.WriteLine($"vocabulary of {preset}: expected at least 258 tokens, got {config.Vocab}");
    return 2;
}

RandomVocabulary.Write(metadata, config.Vocab, seed);
using var writer = new GgufWriter(output, metadata);
float[]? divisors = GgufMetadataWriter.RopeDivisors(config);
if (divisors is not null)
{
    writer.Declare("rope_freqs.weight", DType.F32, new Shape(divisors.Length));
}

foreach ((string canonical, Shape shape) in config.Parameters())
{
    (string name, Shape stored) = (TensorNames.In(CheckpointFormat.Gguf, canonical), shape);
    if (canonical.Split('.') is [_, string layer, _, "experts", string expert, string matrix, _])
    {
        // One tensor holds a layer's experts.
        if (expert != "0")
        {
            continue;
        }

        name = $"blk.{layer}.ffn_{(matrix == "w1" ? "gate" : matrix == "w2" ? "down" : "up")}_exps.weight";
        stored = new Shape(config.Llama4!.Experts, shape.Rows, shape.Columns);
    }

    writer.Declare(name, mix.TypeOf(name, stored), stored);
}

writer.Begin();
if (divisors is not null)
{
    writer.Write(System.Runtime.InteropServices.MemoryMarshal.AsBytes<float>(divisors));
}

// Rows are drawn from a few hundred different ones per shape: quantising every row of a large model anew would take minutes and change nothing.
const int Different = 251;
var random = new Random(seed);
var pools = new Dictionary<(DType, long), byte[][]>();
while (writer.Current is { } tensor)
{
    long columns = tensor.Shape.Columns;
    if (tensor.Shape.Rank == 1)
    {
        float[] norm = [.. Enumerable.Range(0, (int)columns).Select(_ => 1f + ((float)random.NextDouble() * 0.1f))];
        writer.Write(System.Runtime.InteropServices.MemoryMarshal.AsBytes<float>(norm));
        continue;
    }

    if (!pools.TryGetValue((tensor.DType, columns), out byte[][]? pool))
    {
        pool = [.. Enumerable.Range(0, Different).Select(_ => Row(tensor.DType, (int)columns))];
        pools.Add((tensor.DType, columns), pool);
    }

    for (long r = tensor.Shape.Rows; r > 0; r--)
    {
        writer.Write(pool[random.Next(Different)]);
    }
}

writer.Complete();
Console.WriteLine($"{output}: {config.ParameterCount:N0} parameters, {new FileInfo(output).Length:N0} bytes, {watch.Elapsed.TotalSeconds:F1} s");
return 0;

byte[] Row(DType dtype, int columns)
{
    var values = new float[columns];
    double scale = Math.Sqrt(3.0 / columns);
    for (int i = 0; i < columns; i++)
    {
        values[i] = (float)(((random.NextDouble() * 2) - 1) * scale);
    }

    var bytes = new byte[dtype.RowBytes(columns)];
    Quantizer.Quantize(dtype, values, bytes);
    return bytes;
}
