using Puna.Formats;
using Puna.Formats.Safetensors;
using Puna.Tensors;
using Puna.Tensors.Quantization;
using Puna.Text;

namespace Puna.Models.PromptGuard;

/// <summary>A DeBERTa-v3 classifier on disk: <c>config.json</c> and safetensors, as Prompt Guard is published. Names and shapes of all tensors are checked when it is opened.</summary>
public sealed class DebertaCheckpoint : IDisposable
{
    // Far more than any classifier has: the size of a tensor without values is anything.
    private const int MostLabels = 1024;

    private readonly SafetensorsFile _file;

    private DebertaCheckpoint(string folder, SafetensorsFile file, DebertaConfig config) => (Folder, _file, Config) = (folder, file, config);

    /// <summary>The folder.</summary>
    public string Folder { get; }

    /// <summary>Shape and arithmetic.</summary>
    public DebertaConfig Config { get; }

    /// <summary>Whether a folder, or the folder of a safetensors file, holds such a model.</summary>
    /// <exception cref="PunaException">It has a <c>config.json</c> that cannot be read.</exception>
    public static bool IsIn(string path) => FindConfig(path) is string config && DebertaConfig.IsIn(config);

    /// <summary>Opens a folder, or a safetensors file with its <c>config.json</c> beside it.</summary>
    /// <param name="path">The folder or file.</param>
    /// <param name="map">False reads the file into memory instead of mapping it.</param>
    /// <exception cref="PunaException">It is no such model; names what is wrong and where.</exception>
    public static DebertaCheckpoint Open(string path, bool map = true)
    {
        string config = FindConfig(path) ?? throw new PunaException($"model {path}: expected a config.json with safetensors, got none");
        SafetensorsFile file = SafetensorsFile.Open(path, map);
        try
        {
            int labels = file.TryGetInfo("classifier.weight", out TensorInfo? info) && info.Shape is { Rank: 2, Count: > 0, Rows: <= MostLabels }
                ? (int)info.Shape.Rows
                : throw new FileFormatException(path, $"tensor classifier.weight: expected a matrix of 1 to {MostLabels} rows, got {info?.Shape.ToString() ?? "none"}");
            var checkpoint = new DebertaCheckpoint(Path.GetDirectoryName(Path.GetFullPath(config))!, file, DebertaConfig.Read(config, labels));
            checkpoint.Check();
            return checkpoint;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Builds the model with its weights packed for a device; afterwards this may be closed.</summary>
    /// <exception cref="PunaException">A type of values that cannot be computed with.</exception>
    public DebertaClassifier LoadPacked(IOps ops) => DebertaClassifier.Build(Config, name =>
    {
        Tensor tensor = _file.GetTensor(name);
        if (!tensor.DType.IsFloat())
        {
            throw new FileFormatException(_file.Path, $"tensor {name}: expected floats, got {tensor.DType.Name()}");
        }

        return ops.Pack(new Weight(name, tensor.Shape.Rank == 1 ? ToFloat(tensor) : tensor));
    });

    /// <summary>Opens the tokenizer that lies beside the weights.</summary>
    /// <exception cref="PunaException">There is none, it is not understood, or it has tokens the embedding has no row for.</exception>
    public Tokenizer OpenTokenizer()
    {
        Tokenizer tokenizer = TokenizerLoader.Open(Folder);

        // Only those that text can become: some files list more tokens than were ever trained.
        return tokenizer.BosId < Config.Vocab && tokenizer.EosId < Config.Vocab
            ? tokenizer
            : throw new PunaException($"tokenizer of {Folder}: expected tokens to put before and behind a text, below {Config.Vocab}, got {tokenizer.BosId} and {tokenizer.EosId}");
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private static string? FindConfig(string path)
    {
        string? folder = Directory.Exists(path) ? path
            : path.EndsWith(".safetensors", StringComparison.OrdinalIgnoreCase) || path.EndsWith(SafetensorsFile.IndexSuffix, StringComparison.OrdinalIgnoreCase) ? Path.GetDirectoryName(Path.GetFullPath(path))
            : null;
        string? config = folder is null ? null : Path.Combine(folder, "config.json");
        return File.Exists(config) ? config : null;
    }

    private static Tensor ToFloat(Tensor tensor)
    {
        Tensor result = Tensor.Create(tensor.Shape);
        Dequantizer.Dequantize(tensor.DType, tensor.Row<byte>(0), result.Row<float>(0));
        return result;
    }

    private void Check()
    {
        var known = new HashSet<string>(StringComparer.Ordinal) { "deberta.embeddings.position_ids" };
        foreach ((string name, Shape shape) in Config.Parameters())
        {
            string got = _file.TryGetInfo(name, out TensorInfo? info) ? info.Shape.ToString() : "no such tensor";
            if (info?.Shape != shape)
            {
                throw new FileFormatException(_file.Path, $"tensor {name}: expected {shape}, got {got}");
            }

            known.Add(name);
        }

        foreach (TensorInfo info in _file.Tensors)
        {
            if (!known.Contains(info.Name))
            {
                throw new FileFormatException(_file.Path, $"tensor {info.Name}: expected only a DeBERTa classifier's tensors, got one that nothing here uses");
            }
        }
    }
}
