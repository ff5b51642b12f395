using System.Diagnostics.CodeAnalysis;
using Puna.Formats;
using Puna.Formats.Gguf;
using Puna.Formats.Meta;
using Puna.Formats.Safetensors;
using Puna.Models.Adapters;
using Puna.Models.Checkpoints.LowPrecision;
using Puna.Models.Vision;
using Puna.Tensors;

namespace Puna.Models.Checkpoints;

/// <summary>
/// A model on disk in any of its formats, seen in one way: a config, and parameters under canonical names (Meta's). Everything is checked against the config when
/// it is opened; the values are read, or mapped, when they are used. Keep it open as long as models loaded from it live.
/// </summary>
public sealed class Checkpoint : IDisposable
{
    // Of a Llama 3.2 Vision: the shapes of its parameters, which files hold otherwise.
    private readonly Dictionary<string, Shape> _shapes = new(StringComparer.Ordinal);

    // What stands before the names of a text model that is part of a larger one.
    private readonly string _prefix;

    // The file, or where it is published in low precision the file as float32.
    private readonly TensorFile _tensors;

    private bool _leavesExperts;

    // Whether an adapter has made two of the embedding and the output layer: the file has them in one.
    private bool _isUntied;

    // Of a Llama 3.2 Vision in safetensors: whether its prefixes are the newer ones.
    private readonly bool _isNested;

    private Checkpoint(
        string path, CheckpointFormat format, TensorFile file, LlamaConfig config, RopeLayout layout, string prefix = "", bool isNested = false, TensorFile? decoded = null)
    {
        (_prefix, _isNested) = (prefix, isNested);
        _tensors = decoded ?? file;
        (Path, Format, File, Config, RopeLayout) = (path, format, file, config, layout);
    }

    /// <summary>What was opened.</summary>
    public string Path { get; }

    /// <summary>Folder that holds the model's other files, or null where everything is in one file.</summary>
    public string? Folder => Format switch
    {
        CheckpointFormat.Gguf or CheckpointFormat.Llama2c => null,
        _ => Directory.Exists(Path) ? Path : System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(Path)),
    };

    /// <summary>Its format.</summary>
    public CheckpointFormat Format { get; }

    /// <summary>The tensors under the names of the format, as they are stored.</summary>
    public TensorFile File { get; }

    /// <summary>Whether the weights are published in low precision, as codes with scales beside them: <see cref="TryGetInfo"/> and <see cref="GetTensor"/> have them as float32.</summary>
    public bool IsDecoded => !ReferenceEquals(_tensors, File);

    /// <summary>Shape and arithmetic.</summary>
    public LlamaConfig Config { get; private set; }

    /// <summary>Order of the rows of wq and wk within a head.</summary>
    public RopeLayout RopeLayout { get; }

    /// <summary>Whether a Llama 4's picture encoder is in the file, of which <see cref="LlamaConfig.Parameters"/> knows nothing.</summary>
    public bool HasLlama4Vision => Config.Llama4?.Vision is { } vision && TryGetInfo(vision.Parameters(Config.Hidden).First().Name, out _);

    /// <summary>The metadata of a GGUF file, otherwise null.</summary>
    public GgufMetadata? Gguf => (File as GgufFile)?.Metadata;

    /// <summary>Opens a model.</summary>
    /// <param name="path">A <c>.gguf</c> file (the first of a split), a <c>.safetensors</c> file or its index, a Hugging Face or Meta folder, a <c>.pth</c> file, or a
    /// llama2.c <c>.bin</c> file.</param>
    /// <param name="map">False reads files into memory instead of mapping them.</param>
    /// <exception cref="PunaException">Names what is wrong and where.</exception>
    public static Checkpoint Open(string path, bool map = true)
    {
        if (Directory.Exists(path))
        {
            return OpenFolder(path, map);
        }

        if (!System.IO.File.Exists(path))
        {
            throw new PunaException($"model {path}: expected a file or folder, got nothing of that name");
        }

        string name = System.IO.Path.GetFileName(path);
        string folder = System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(path))!;
        if (name.EndsWith(".safetensors", StringComparison.OrdinalIgnoreCase) || name.EndsWith(".safetensors.index.json", StringComparison.OrdinalIgnoreCase))
        {
            return OpenSafetensors(path, System.IO.Path.Combine(folder, "config.json"), map);
        }

        if (name.EndsWith(".pth", StringComparison.OrdinalIgnoreCase))
        {
            return OpenMeta(path, map);
        }

        if (name.EndsWith(".bin", StringComparison.OrdinalIgnoreCase))
        {
            return OpenLlama2c(path, map);
        }

        return OpenGguf(GgufFile.Open(path, map));
    }

    /// <summary>Wraps an opened GGUF file, which then belongs to the result (or is closed where an exception is thrown).</summary>
    public static Checkpoint OpenGguf(GgufFile file)
    {
        return Guarded(file, () => new Checkpoint(file.Path, CheckpointFormat.Gguf, file, GgufConfig.Read(file, file.Metadata), GgufConfig.Layout(file.Metadata)));
    }

    /// <summary>The name of a parameter in this file; of an expert what it would be called alone, also where the file holds all experts in one tensor.</summary>
    /// <param name="canonical">Canonical name, for example <c>layers.0.attention.wq.weight</c>.</param>
    public string NameOf(string canonical) => Config.Vision is { } vision ? MllamaNames.In(Format, canonical, vision, _isNested)
        : Config.Llama4 is not null && Llama4VisionNames.IsVision(canonical) ? Llama4VisionNames.In(Format, canonical)
        : _prefix + TensorNames.In(Format, _isUntied && canonical == "output.weight" ? Llama.EmbeddingName : canonical, Config);

    /// <summary>What the file says of a parameter.</summary>
    /// <param name="canonical">Canonical name.</param>
    /// <param name="info">Under the name of the format.</param>
    public bool TryGetInfo(string canonical, [NotNullWhen(true)] out TensorInfo? info)
    {
        string name = NameOf(canonical);
        return _tensors.TryGetInfo(name, out info) || (info = Stacked(canonical)?.Info(name)) is not null;
    }

    /// <summary>Sets how long texts may be, for what is loaded from now on. Nothing is computed otherwise, so a model may be let beyond what it was trained for where it is known to bear it: Code Llama was
    /// trained on 16,384 tokens and is good up to 100,000 (Rozière et al. 2023, section 2.4).</summary>
    /// <param name="tokens">Tokens of the context.</param>
    /// <exception cref="PunaException">The number is none that can be, or the rotation of the model depends on its context.</exception>
    public void SetContext(int tokens)
    {
        if (Config.RopeScaling is RopeScaling.Dynamic)
        {
            throw new PunaException($"context of {Path}: expected a model that rotates alike at every length, got one with dynamic scaling");
        }

        Config = (Config with { ContextLength = tokens }).Validate(Path);
    }

    /// <summary>The adapter that is added to the weights, or null.</summary>
    public LoraAdapter? Adapter { get; private set; }

    /// <summary>Adds an adapter to the weights that are read from now on.</summary>
    /// <param name="path">As <see cref="LoraAdapter.Open"/>.</param>
    /// <exception cref="PunaException">Names what is wrong and where; or there is one already.</exception>
    public void Adapt(string path)
    {
        if (Adapter is not null)
        {
            throw new PunaException($"adapter {path}: expected one adapter, got {Adapter.Path} before");
        }

        Adapter = LoraAdapter.Open(path, Config);
        if (Adapter.Unties)
        {
            (_isUntied, Config) = (true, Config with { TiedEmbeddings = false });
        }
    }

    /// <summary>A parameter as it is stored, or float32 where an adapter changes it; give it back with <see cref="Release"/>.</summary>
    /// <param name="canonical">Canonical name.</param>
    public Tensor GetTensor(string canonical)
    {
        if (Adapter?.Replacement(canonical, RopeLayout, Config.HeadDim) is Tensor own)
        {
            return own;
        }

        Tensor stored = Config.Vision is not null ? Shaped(canonical) : Stacked(canonical) is { } place ? place.Take(_tensors.GetTensor(place.Stack.Name)) : _tensors.GetTensor(NameOf(canonical));
        if (Adapter is null || !Adapter.Changes(canonical))
        {
            return stored;
        }

        if (!stored.DType.IsFloat() && !stored.DType.IsBlock())
        {
            throw new FileFormatException(Path, $"tensor {NameOf(canonical)}: expected floats or quantised blocks, got {stored.DType.Name()}");
        }

        Tensor adapted = Adapter.Apply(canonical, stored, RopeLayout, Config.HeadDim);
        ReleaseStored(canonical, stored);
        return adapted;
    }

    /// <summary>Gives back memory that was allocated to hold this parameter alone, as <see cref="TensorFile.Release"/>.</summary>
    /// <param name="canonical">Canonical name.</param>
    /// <param name="tensor">What <see cref="GetTensor"/> gave.</param>
    public void Release(string canonical, Tensor tensor)
    {
        if (Adapter?.Changes(canonical) == true)
        {
            tensor.Storage.Dispose();
        }
        else
        {
            ReleaseStored(canonical, tensor);
        }
    }

    /// <summary>Builds the model over these tensors. Matrices stay where they are; vectors become float32.</summary>
    /// <exception cref="PunaException">A type of values that cannot be computed with.</exception>
    public Llama Load() => Llama.Build(Config, RopeLayout, LoadWeight);

    /// <summary>Whether the weights are smaller than the memory that this process may have, with a tenth to spare.</summary>
    public bool FitsInMemory => _tensors.Tensors.Sum(static t => t.ByteLength) < GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 10 * 9;

    /// <summary>Whether routed experts stay in the mapped file (<see cref="LoadPacked"/>): where <see cref="LeaveExperts"/> said so, or the model does not fit in memory.</summary>
    public bool LeavesExperts => _leavesExperts || (Config.Llama4 is not null && !FitsInMemory);

    /// <summary>Leaves routed experts in the file, from where the system reads those that tokens are sent to, also where there is room for all of them.</summary>
    /// <exception cref="PunaException">There are none, or they do not lie row by row in a mapped file, as they do in GGUF files.</exception>
    public void LeaveExperts()
    {
        string? expert = Config.Llama4 is null ? null : Config.Parameters().Select(static p => p.Name).FirstOrDefault(ExpertTensors.IsExpert);
        if (expert is null)
        {
            throw new PunaException($"experts of {Path}: expected a model with experts, got {Config.Name}, which has none");
        }

        Tensor tensor = GetTensor(expert);
        bool isMapped = tensor.Storage is MemoryMappedStorage;
        Release(expert, tensor);
        _leavesExperts = isMapped ? true : throw new PunaException($"experts of {Path}: expected them row by row in a mapped file to be left there, got others: convert the model to GGUF, and map it");
    }

    /// <summary>Builds the model with its weights as a device wants them: <see cref="Load"/> and <see cref="Llama.PackFor"/> weight by weight, so that memory that
    /// holds one weight as it was is given back before the next. Values of a file that was read instead of mapped cannot be asked for afterwards.</summary>
    /// <param name="ops">The device.</param>
    /// <param name="packed">Told of every weight under its canonical name; may be null.</param>
    /// <param name="mapExperts">Whether routed experts stay in the mapped file, from where the system reads those that tokens are sent to: slower, with the same bits. They must lie there row by
    /// row, as in GGUF files, and this checkpoint must stay open. Null means <see cref="LeavesExperts"/>.</param>
    /// <exception cref="PunaException">A type or value that cannot be computed with.</exception>
    public Llama LoadPacked(IOps ops, Action<string, Weight>? packed = null, bool? mapExperts = null)
    {
        bool leave = mapExperts ?? LeavesExperts;
        return Llama.Build(Config, RopeLayout, name =>
        {
            Weight weight = LoadWeight(name);
            if (leave && ExpertTensors.IsExpert(name) && weight.Master.Storage is MemoryMappedStorage)
            {
                packed?.Invoke(name, weight);
                return weight;
            }

            Weight result = ops.Pack(weight);
            packed?.Invoke(name, result);
            bool isShared = _isUntied && name is Llama.EmbeddingName or "output.weight"; // one tensor of the file, asked for twice
            if (!isShared && !ReferenceEquals(result.Packed?.Storage ?? result.Master.Storage, weight.Master.Storage))
            {
                if (Adapter?.Changes(name) != true && Stacked(name) is null)
                {
                    _tensors.Discard(weight.Name, weight.Master);
                }
                else
                {
                    Release(name, weight.Master);
                }
            }

            return result;
        });
    }

    /// <summary>Builds the picture encoder of a Llama 4, its weights packed for a device where one is given.</summary>
    /// <param name="ops">The device, or null.</param>
    /// <exception cref="PunaException">The checkpoint has none, or one of another shape.</exception>
    public Llama4Vision LoadLlama4Vision(IOps? ops = null)
    {
        if (Config.Llama4?.Vision is not { } vision)
        {
            throw new PunaException($"model {Path}: expected a picture encoder, got a model that reads text only");
        }

        var shapes = vision.Parameters(Config.Hidden).ToDictionary(static p => p.Name, static p => p.Shape, StringComparer.Ordinal);
        var known = shapes.Keys.Select(canonical => Llama4VisionNames.In(Format, canonical)).ToHashSet(StringComparer.Ordinal);
        foreach (TensorInfo info in File.Tensors)
        {
            // Layers that the settings do not count, or parts of a layer, would otherwise be left out in silence.
            if (Llama4VisionNames.IsOfALayer(info.Name) && !known.Contains(info.Name))
            {
                throw new FileFormatException(Path, $"tensor {info.Name}: expected only tensors of an encoder of {vision.Layers} layers, got one that nothing here uses");
            }
        }

        return Llama4Vision.Build(vision, canonical =>
        {
            string name = Llama4VisionNames.In(Format, canonical);
            string got = _tensors.TryGetInfo(name, out TensorInfo? info) ? info.Shape.ToString() : "no such tensor";
            if (info?.Shape != shapes[canonical])
            {
                throw new FileFormatException(Path, $"tensor {name}: expected {shapes[canonical]}, got {got}");
            }

            Tensor tensor = _tensors.GetTensor(name);
            if (!tensor.DType.IsFloat())
            {
                throw new FileFormatException(Path, $"tensor {name}: expected floats, got {tensor.DType.Name()}");
            }

            tensor = tensor.Shape.Rank == 1 && tensor.DType != DType.F32 ? ToFloat(tensor) : tensor;
            if (canonical.EndsWith("class_embedding", StringComparison.Ordinal))
            {
                // A table of one row.
                tensor = new Tensor(tensor.Storage, tensor.Offset, new Shape(1, tensor.Columns), tensor.DType);
            }

            var weight = new Weight(name, tensor);
            return ops?.Pack(weight) ?? weight;
        });
    }

    /// <inheritdoc/>
    public void Dispose() => _tensors.Dispose();

    /// <summary>A parameter of a Llama 3.2 Vision in its shape here: tables of tiles and the patches' kernel have more dimensions, or fewer, in files, and Meta's embedding is in two parts.</summary>
    private Tensor Shaped(string canonical)
    {
        Shape shape = _shapes[canonical];
        Tensor stored = _tensors.GetTensor(NameOf(canonical));
        if (stored.Shape == shape)
        {
            return stored;
        }

        if (stored.Shape.Count == shape.Count && stored.IsContiguous)
        {
            return new Tensor(stored.Storage, stored.Offset, shape, stored.DType);
        }

        Tensor extra = _tensors.GetTensor(MllamaNames.MetaExtraEmbedding);
        if (extra.DType != stored.DType)
        {
            throw new FileFormatException(Path, $"tensor {MllamaNames.MetaExtraEmbedding}: expected {stored.DType.Name()} as the embedding, got {extra.DType.Name()}");
        }

        Tensor joined = Tensor.Create(shape, stored.DType);
        for (long row = 0; row < shape.Rows; row++)
        {
            (row < stored.Rows ? stored.Row<byte>(row) : extra.Row<byte>(row - stored.Rows)).CopyTo(joined.Row<byte>(row));
        }

        _tensors.Release(stored);
        _tensors.Release(extra);
        return joined;
    }

    private ExpertPlace? Stacked(string canonical) => Config.Llama4 is not null && ExpertTensors.IsExpert(canonical) && !_tensors.TryGetInfo(NameOf(canonical), out _)
        ? ExpertTensors.Find(_tensors, Format, _prefix, canonical, Config)
        : null;

    private void ReleaseStored(string canonical, Tensor tensor)
    {
        if (Stacked(canonical) is { IsTransposed: true })
        {
            tensor.Storage.Dispose();
        }
        else
        {
            _tensors.Release(tensor);
        }
    }

    private Weight LoadWeight(string name)
    {
        Tensor tensor = GetTensor(name);
        if (!tensor.DType.IsFloat() && !tensor.DType.IsBlock())
        {
            throw new FileFormatException(Path, $"tensor {NameOf(name)}: expected floats or quantised blocks, got {tensor.DType.Name()}");
        }

        return new Weight(NameOf(name), tensor.Shape.Rank == 1 && tensor.DType != DType.F32 ? ToFloat(tensor) : tensor);
    }

    private static Tensor ToFloat(Tensor tensor)
    {
        Tensor result = Tensor.Create(tensor.Shape);
        Tensors.Quantization.Dequantizer.Dequantize(tensor.DType, tensor.Row<byte>(0), result.Row<float>(0));
        return result;
    }

    private static Checkpoint OpenFolder(string path, bool map)
    {
        string config = System.IO.Path.Combine(path, "config.json");
        bool meta = System.IO.File.Exists(System.IO.Path.Combine(path, "params.json")) || Directory.EnumerateFiles(path, "consolidated*.pth").Any();
        string[] files = [.. Directory.EnumerateFiles(path, "*.gguf").Order(StringComparer.Ordinal)];

        // The settings of a model may lie beside weights of another layout alone, as where GGUF files are published.
        bool others = meta || files.Length > 0;
        if (System.IO.File.Exists(config) && (!others || Directory.EnumerateFiles(path, "*.safetensors*").Any()))
        {
            return OpenSafetensors(path, config, map);
        }

        if (meta)
        {
            return OpenMeta(path, map);
        }

        string[] first = [.. files.Where(f => !f.Contains("-of-", StringComparison.Ordinal) || f.Contains("-00001-of-", StringComparison.Ordinal))];
        return first.Length switch
        {
            1 => OpenGguf(GgufFile.Open(first[0], map)),
            0 when files.Length > 0 => throw new PunaException($"model folder {path}: expected the first part -00001-of-000NN.gguf, got only later ones"),
            0 => throw new PunaException($"model folder {path}: expected config.json with safetensors, params.json with consolidated.NN.pth, or a .gguf file, got none of them"),
            _ => throw new PunaException($"model folder {path}: expected one model, got {string.Join(", ", first.Select(System.IO.Path.GetFileName))}: name the file"),
        };
    }

    private static Checkpoint OpenSafetensors(string path, string config, bool map)
    {
        if (!System.IO.File.Exists(config))
        {
            throw new PunaException($"model {path}: expected {config} beside the safetensors, got none");
        }

        SafetensorsFile file = SafetensorsFile.Open(path, map);
        return Guarded(file, () =>
        {
            int labels = file.TryGetInfo("score.weight", out TensorInfo? score) ? checked((int)score.Shape.Rows) : 0;
            LlamaConfig read = HuggingFaceConfig.Read(config, labels);
            string prefix = read.Llama4 is not null && file.TryGetInfo("language_model.model.embed_tokens.weight", out _) ? "language_model." : "";
            bool isNested = file.TryGetInfo("model.language_model.embed_tokens.weight", out _);
            if (read.Vision is { } vision && file.TryGetInfo(isNested ? "model.language_model.embed_tokens.weight" : "language_model.model.embed_tokens.weight", out TensorInfo? table) && table.Shape.Rows - read.Vocab is >= 0 and < 1 << 16)
            {
                read = read with { Vision = vision with { ExtraEmbeddings = (int)(table.Shape.Rows - read.Vocab) } };
            }

            if (!read.TiedEmbeddings && read.Vision is null && read.Llama4 is null && read.Labels == 0 && !file.TryGetInfo("lm_head.weight", out _) && !JsonConfig.Read(config).Has("tie_word_embeddings"))
            {
                // Some writers leave the key out where it has its default in their own class.
                read = read with { TiedEmbeddings = true };
            }

            RopeLayout layout = read.Llama4 is null ? RopeLayout.HalfSplit : RopeLayout.Interleaved;
            return new Checkpoint(path, CheckpointFormat.Safetensors, file, read, layout, prefix, isNested, HuggingFaceConfig.IsFloat8(config) ? HuggingFaceFloat8.Decoded(file) : null);
        });
    }

    private static Checkpoint OpenMeta(string path, bool map)
    {
        MetaCheckpoint file = MetaCheckpoint.Open(path, map);
        return Guarded(file, () =>
        {
            MetaParams parameters = file.Params ?? throw new PunaException($"model {path}: expected params.json beside consolidated.NN.pth, got none");
            LlamaConfig config = MetaConfig.Read(file, parameters);
            return new Checkpoint(path, CheckpointFormat.Meta, file, config, RopeLayout.Interleaved, decoded: MetaConfig.Decoded(file, parameters, map));
        });
    }

    private static Checkpoint OpenLlama2c(string path, bool map)
    {
        Llama2cFile file = Llama2cFile.Open(path, map);
        return Guarded(file, () =>
        {
            var config = new LlamaConfig
            {
                Name = System.IO.Path.GetFileNameWithoutExtension(path),
                Hidden = file.Header.Dim,
                Ffn = file.Header.FfnHidden,
                Layers = file.Header.NLayers,
                Heads = file.Header.NHeads,
                KvHeads = file.Header.NKvHeads,
                HeadDim = file.Header.HeadDim,
                Vocab = file.Header.VocabSize,
                ContextLength = file.Header.ContextLength,
                NormEpsilon = 1e-5f,
                TiedEmbeddings = !file.Header.HasOutput,
                BosId = 1,
                EosIds = [2],
            };
            return new Checkpoint(path, CheckpointFormat.Llama2c, file, config.Validate(path), RopeLayout.Interleaved);
        });
    }

    /// <summary>Checks names and shapes; closes the file where anything is wrong.</summary>
    private static Checkpoint Guarded(TensorFile file, Func<Checkpoint> open)
    {
        try
        {
            Checkpoint checkpoint = open();
            checkpoint.CheckTensors();
            return checkpoint;
        }
        catch (OverflowException e)
        {
            file.Dispose();
            throw new FileFormatException(file.Path, "model: expected sizes that fit 32 bits, got larger ones", inner: e);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    private void CheckTensors()
    {
        var known = new HashSet<string>(StringComparer.Ordinal);
        foreach ((string canonical, Shape shape) in Config.Parameters())
        {
            string name = NameOf(canonical);
            if (Stacked(canonical) is { } place)
            {
                known.Add(place.Stack.Name);
                continue;
            }

            if (!_tensors.TryGetInfo(name, out TensorInfo? info))
            {
                throw new FileFormatException(Path, $"tensor {name}: expected {shape}, got no such tensor");
            }

            Shape expected = shape;
            if (Config.Vision is not null)
            {
                expected = MllamaNames.FileShape(Format, canonical, shape, Config);
                _shapes.Add(canonical, shape);
            }

            if (info.Shape != expected)
            {
                throw new FileFormatException(Path, $"tensor {name}: expected {expected}, got {info.Shape}");
            }

            known.Add(name);
        }

        if (Config.Vision is { } seen && Format == CheckpointFormat.Meta)
        {
            var extra = new Shape(seen.ExtraEmbeddings, Config.Hidden);
            Shape? found = _tensors.TryGetInfo(MllamaNames.MetaExtraEmbedding, out TensorInfo? rows) ? rows.Shape : null;
            known.Add(found == extra ? MllamaNames.MetaExtraEmbedding : throw new FileFormatException(Path, $"tensor {MllamaNames.MetaExtraEmbedding}: expected {extra}, got {found?.ToString() ?? "no such tensor"}"));
        }

        if (Config.TiedEmbeddings && Config.Labels == 0)
        {
            // Some files of tied models hold the output layer all the same; it is the embedding again.
            known.Add(NameOf("output.weight"));
        }

        foreach (TensorInfo info in _tensors.Tensors)
        {
            if (!known.Contains(info.Name) && !TensorNames.IsIgnored(Format, info.Name, Config))
            {
                throw new FileFormatException(Path, $"tensor {info.Name}: expected only a Llama's tensors, got one that nothing here uses");
            }
        }
    }
}
