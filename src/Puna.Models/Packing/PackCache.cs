using System.Security.Cryptography;
using Puna.Formats;
using Puna.Formats.Packed;
using Puna.Models.Checkpoints;
using Puna.Tensors;

namespace Puna.Models.Packing;

/// <summary>
/// Packed forms of models, kept in a folder: the first start packs and writes, the next ones map what was written. A form belongs to the content of the model's files
/// (SHA-256) and to a version of the packed layout; both are in its name and its header. Nothing in the folder is believed: each file's header, table and every byte of
/// its weights are checked before use, and what does not fit is packed anew and replaced. The folder may be emptied at any time.
/// </summary>
/// <remarks>Whatever goes wrong with the cache costs time and one warning, never the model. Several processes may use a folder at the same time. A folder belongs to one
/// user: checksums find damage, not forgery.</remarks>
public sealed class PackCache
{
    private const string Extension = ".punapack";

    // Longer than any writing takes: what is older was left behind by a process that was killed.
    private static readonly TimeSpan Abandoned = TimeSpan.FromDays(1);

    private readonly Action<string>? _warn;

    /// <summary>Names a folder; it is made when something is written.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="warn">Told, in one line, why a packed form was not used or not written; may be null.</param>
    public PackCache(string folder, Action<string>? warn = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        Folder = Path.GetFullPath(folder);
        _warn = warn;
    }

    /// <summary>Where packed forms are kept.</summary>
    public string Folder { get; }

    /// <summary>Threads that compute hashes and checksums; 0 means one per core.</summary>
    public int Threads { get; init; }

    /// <summary>
    /// Loads a model packed for a device, from this cache where it has it. Checkpoints whose files are not mapped (the embedded model, files read into memory) and devices
    /// whose packed form cannot be kept go past the cache.
    /// </summary>
    /// <param name="checkpoint">The model; may be closed afterwards.</param>
    /// <param name="ops">The device.</param>
    /// <param name="cancel">Stops reading and writing of the cache.</param>
    /// <exception cref="PunaException">The model cannot be computed with; never because of the cache.</exception>
    /// <exception cref="OperationCanceledException">It was stopped; nothing is left behind.</exception>
    public Llama Load(Checkpoint checkpoint, IOps ops, CancellationToken cancel = default)
    {
        if (checkpoint.Adapter is not null || checkpoint.IsDecoded)
        {
            // The key says which model it is, and nothing of an adapter, or of settings that say how codes are read.
            return checkpoint.LoadPacked(ops);
        }

        IReadOnlyList<TensorSource> sources = checkpoint.File.Sources;
        if (ops.PackedVersion is not { Length: > 0 } layout || sources.Count == 0 || sources.Any(static source => source.Bytes is not MemoryMappedStorage))
        {
            return checkpoint.LoadPacked(ops);
        }

        int threads = Threads > 0 ? Threads : Environment.ProcessorCount;
        byte[]? source = Guarded("cannot identify the model's files", () => new SourceContent(checkpoint.File, Folder, threads).Identify(cancel));
        if (source is null)
        {
            return checkpoint.LoadPacked(ops);
        }

        string path = Path.Combine(Folder, $"{Convert.ToHexStringLower(source.AsSpan(0, 16))}-{layout}{Extension}");
        if (File.Exists(path) && Guarded("packing anew", () => Open(path, checkpoint, source, layout, threads, cancel)) is { } found)
        {
            return found;
        }

        if (checkpoint.LeavesExperts)
        {
            return checkpoint.LoadPacked(ops); // experts stay in the file, so that there is no packed form to keep
        }

        var packed = new Dictionary<string, Weight>(StringComparer.Ordinal);
        Llama model = checkpoint.LoadPacked(ops, packed.Add);
        Guarded("cannot be written", () =>
        {
            Directory.CreateDirectory(Folder);
            RemoveAbandoned();
            PackedFileWriter.Write(path, source, layout, [.. checkpoint.Config.Parameters().Select(parameter => packed[parameter.Name])], threads, cancel);
            return path;
        });
        return model;
    }

    private static Llama Open(string path, Checkpoint checkpoint, byte[] source, string layout, int threads, CancellationToken cancel)
    {
        PackedFile file = PackedFile.Open(path);
        try
        {
            Require(file.Source.SequenceEqual(source), "packed weights: expected those of this model's files, got others");
            Require(file.Layout == layout, $"packed weights: expected layout {layout}, got {file.Layout}");
            int i = 0;
            foreach ((string canonical, Shape shape) in checkpoint.Config.Parameters())
            {
                string name = checkpoint.NameOf(canonical);
                DType type = shape.Rank == 1 ? DType.F32 : checkpoint.TryGetInfo(canonical, out TensorInfo? info) ? info.DType : default;
                PackedTensor? tensor = i < file.Tensors.Count ? file.Tensors[i] : null;
                string got = tensor is null ? "nothing" : $"{tensor.Name} {tensor.Type.Name()} {tensor.Shape}";
                Require(tensor is not null && tensor.Name == name && tensor.Type == type && tensor.Shape == shape, $"packed weight {i}: expected {name} {type.Name()} {shape}, got {got}");
                i++;
            }

            Require(i == file.Tensors.Count, $"packed weights: expected {i}, got {file.Tensors.Count}");
            file.Verify(threads, cancel);
            return Llama.Build(checkpoint.Config, checkpoint.RopeLayout, name => file.GetWeight(checkpoint.NameOf(name)));
        }
        catch
        {
            file.Close();
            throw;
        }

        void Require(bool isTrue, string message)
        {
            if (!isTrue)
            {
                throw new FileFormatException(path, message);
            }
        }
    }

    /// <summary>Does something with the cache that may fail without harm: then warns, and gives null.</summary>
    private T? Guarded<T>(string consequence, Func<T> action)
        where T : class
    {
        try
        {
            return action();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or PunaException or CryptographicException or PlatformNotSupportedException or AggregateException)
        {
            _warn?.Invoke(PunaException.OneLine($"pack cache {Folder}: {consequence}: {(e as AggregateException)?.InnerExceptions[0].Message ?? e.Message}"));
            return null;
        }
    }

    private void RemoveAbandoned()
    {
        foreach (string temporary in Directory.EnumerateFiles(Folder, $".*{Extension}.*.tmp"))
        {
            if (DateTime.UtcNow - File.GetLastWriteTimeUtc(temporary) > Abandoned)
            {
                File.Delete(temporary);
            }
        }
    }
}
