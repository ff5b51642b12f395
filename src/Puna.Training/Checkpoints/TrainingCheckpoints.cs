using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Puna.Formats.Safetensors;
using Puna.Models.Checkpoints;
using Puna.Models.Conversion;
using Puna.Tensors;
using Puna.Training.Core;
using Puna.Training.Recipes;

namespace Puna.Training.Checkpoints;

/// <summary>
/// The checkpoints of a run (spec training.md 1.12): folders <c>step-00001234</c> that are a model in Hugging Face's layout, with the optimiser's moments, the state of the run, a manifest with the
/// checksum of every file and, written last, an empty file <c>COMPLETE</c>. A folder gets its name when everything is in it, so that a run that is killed at any moment finds its last whole one.
/// </summary>
public sealed class TrainingCheckpoints
{
    private const int Version = 1;
    private const string Prefix = "step-";
    private const string Model = "model.safetensors";
    private const string Moments = "optimizer.safetensors";
    private const string State = "trainer.json";
    private const string Manifest = "manifest.json";
    private const string Complete = "COMPLETE";

    private readonly string _folder;

    /// <summary>The checkpoints in a folder.</summary>
    /// <param name="folder">Made with the first checkpoint.</param>
    public TrainingCheckpoints(string folder) => _folder = folder;

    /// <summary>Where a run begins: refuses a folder that holds a run, unless it is to go on.</summary>
    /// <param name="request">What the user asked for.</param>
    /// <param name="report">Told of checkpoints that are passed over.</param>
    /// <returns>The checkpoint to go on from, or null.</returns>
    /// <exception cref="PunaException">There is a run, and <see cref="RecipeRequest.Resume"/> was not asked for.</exception>
    public string? Begin(RecipeRequest request, IRecipeReport report)
    {
        if (File.Exists(Path.Combine(request.Output, "log.jsonl")) && !request.Resume)
        {
            throw new PunaException($"folder {request.Output}: expected none, or one without a run, got one with log.jsonl: --resume goes on with it");
        }

        return request.Resume ? FindLatest(report.Line) : null;
    }

    /// <summary>Folder of the newest whole checkpoint, or null. Whatever is incomplete or damaged is passed over.</summary>
    /// <param name="passedOver">Told of each that is.</param>
    public string? FindLatest(Action<string>? passedOver = null)
    {
        if (!Directory.Exists(_folder))
        {
            return null;
        }

        foreach (string path in Directory.EnumerateDirectories(_folder, Prefix + "*").Where(static p => !p.EndsWith(".tmp", StringComparison.Ordinal)).OrderDescending(StringComparer.Ordinal))
        {
            string? problem = Problem(path);
            if (problem is null)
            {
                return path;
            }

            passedOver?.Invoke($"checkpoint {path}: {problem}");
        }

        return null;
    }

    /// <summary>Writes a checkpoint, complete or not at all, then removes the oldest ones.</summary>
    /// <param name="trainer">Weights and moments.</param>
    /// <param name="state">The state of the run.</param>
    /// <param name="companions">Files that belong to the model: its tokenizer.</param>
    /// <param name="keep">How many to keep.</param>
    /// <returns>Its folder.</returns>
    /// <exception cref="PunaException">It cannot be written.</exception>
    public string Save(Trainer trainer, TrainerState state, IReadOnlyDictionary<string, byte[]> companions, int keep)
    {
        string path = Path.Combine(_folder, Prefix + state.Step.ToString("D8", CultureInfo.InvariantCulture));
        string temporary = path + ".tmp";
        try
        {
            Directory.CreateDirectory(_folder);
            Remove(temporary);
            Directory.CreateDirectory(temporary);
            HuggingFaceModel.Write(trainer.Model, Path.Combine(temporary, Model));
            WriteMoments(trainer, Path.Combine(temporary, Moments));
            File.WriteAllBytes(Path.Combine(temporary, "config.json"), HuggingFaceConfigWriter.Write(trainer.Model.Config, DType.F32, withPictures: trainer.Model.Pictures is not null));
            File.WriteAllBytes(Path.Combine(temporary, State), JsonSerializer.SerializeToUtf8Bytes(state, CheckpointJson.Default.TrainerState));
            foreach ((string name, byte[] content) in companions)
            {
                File.WriteAllBytes(Path.Combine(temporary, name), content);
            }

            var entries = new List<CheckpointEntry>();
            foreach (string file in Directory.EnumerateFiles(temporary).Order(StringComparer.Ordinal))
            {
                entries.Add(new CheckpointEntry(Path.GetFileName(file), new FileInfo(file).Length, Checksum(file)));
                Flush(file);
            }

            string manifest = Path.Combine(temporary, Manifest);
            File.WriteAllBytes(manifest, JsonSerializer.SerializeToUtf8Bytes(new CheckpointManifest(Version, entries), CheckpointJson.Default.CheckpointManifest));
            Flush(manifest);
            File.WriteAllBytes(Path.Combine(temporary, Complete), []);
            Remove(path);
            Directory.Move(temporary, path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new PunaException($"checkpoint {path}: cannot be written: {e.Message}", e);
        }

        RemoveOld(keep);
        return path;
    }

    /// <summary>Reads the state of a checkpoint that <see cref="FindLatest"/> returned.</summary>
    public static TrainerState ReadState(string path) =>
        JsonSerializer.Deserialize(File.ReadAllBytes(Path.Combine(path, State)), CheckpointJson.Default.TrainerState) ?? throw new PunaException($"checkpoint {path}: expected a state in {State}, got null");

    /// <summary>Reads the weights of a checkpoint.</summary>
    public static TrainableModel ReadModel(string path)
    {
        using Checkpoint checkpoint = Checkpoint.Open(path, map: false);
        return TrainableModel.Load(checkpoint, withPictures: true);
    }

    /// <summary>Reads the moments of a checkpoint into an optimiser.</summary>
    public static void ReadMoments(string path, Trainer trainer)
    {
        using SafetensorsFile file = SafetensorsFile.Open(Path.Combine(path, Moments));
        for (int i = 0; i < trainer.Model.Parameters.Count; i++)
        {
            Copy(file.GetTensor("m." + trainer.Model.Parameters[i].Name), trainer.Optimizer.First[i], path);
            Copy(file.GetTensor("v." + trainer.Model.Parameters[i].Name), trainer.Optimizer.Second[i], path);
        }
    }

    private static void WriteMoments(Trainer trainer, string path)
    {
        using var writer = new SafetensorsWriter(path);
        IReadOnlyList<TrainableParameter> parameters = trainer.Model.Parameters;
        foreach (TrainableParameter parameter in parameters)
        {
            writer.Declare("m." + parameter.Name, DType.F32, parameter.Values.Shape);
            writer.Declare("v." + parameter.Name, DType.F32, parameter.Values.Shape);
        }

        writer.Begin();
        for (int i = 0; i < parameters.Count; i++)
        {
            writer.WriteTensor(trainer.Optimizer.First[i]);
            writer.WriteTensor(trainer.Optimizer.Second[i]);
        }

        writer.Complete();
    }

    private static void Copy(Tensor from, Tensor to, string path)
    {
        if (from.DType != DType.F32 || from.Shape != to.Shape)
        {
            throw new PunaException($"checkpoint {path}: expected a moment {to.Shape} f32, got {from.Shape} {from.DType.Name()}");
        }

        for (long row = 0; row < from.Rows; row++)
        {
            from.Row<float>(row).CopyTo(to.Row<float>(row));
        }
    }

    /// <summary>What is wrong with a checkpoint, or null.</summary>
    private static string? Problem(string path)
    {
        try
        {
            if (!File.Exists(Path.Combine(path, Complete)))
            {
                return "incomplete";
            }

            CheckpointManifest? manifest = JsonSerializer.Deserialize(File.ReadAllBytes(Path.Combine(path, Manifest)), CheckpointJson.Default.CheckpointManifest);
            if (manifest is null || manifest.Version != Version)
            {
                return $"expected version {Version}, got {manifest?.Version}";
            }

            foreach (CheckpointEntry entry in manifest.Files)
            {
                string file = Path.Combine(path, Path.GetFileName(entry.Name));
                if (!File.Exists(file) || new FileInfo(file).Length != entry.Bytes || Checksum(file) != entry.Sha256)
                {
                    return $"{entry.Name} is not what was written";
                }
            }

            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            return e.Message;
        }
    }

    private static string Checksum(string file)
    {
        using FileStream stream = File.OpenRead(file);
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }

    private static void Flush(string file)
    {
        using var stream = new FileStream(file, FileMode.Open, FileAccess.Write);
        stream.Flush(flushToDisk: true);
    }

    private static void Remove(string folder)
    {
        if (Directory.Exists(folder))
        {
            // Its mark first: what is left of a removal that is interrupted is then not taken for a checkpoint.
            File.Delete(Path.Combine(folder, Complete));
            Directory.Delete(folder, recursive: true);
        }
    }

    private void RemoveOld(int keep)
    {
        try
        {
            foreach (string old in Directory.EnumerateDirectories(_folder, Prefix + "*").Where(static p => !p.EndsWith(".tmp", StringComparison.Ordinal)).OrderDescending(StringComparer.Ordinal).Skip(keep))
            {
                Remove(old);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // An old checkpoint that cannot be removed costs space and nothing else.
        }
    }
}
