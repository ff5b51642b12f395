using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Puna.Formats.Safetensors;
using Puna.Models.Checkpoints;
using Puna.Models.Conversion;
using Puna.Tensors;
using Puna.Training.Core;
using Puna.Training.Recipes;
using Puna.Training.Recipes.Pretraining;

namespace Puna.Training.Checkpoints;

/// <summary>
/// The checkpoints of a run (spec training.md 1.12): folders <c>step-00001234</c> that are a model in Hugging Face's layout, with the optimiser's moments, the state of the run, a manifest with the
/// checksum of every file and, written last, an empty file <c>COMPLETE</c>. A folder gets its name when everything is in it, so that a run that is killed at any moment finds its last whole one.
/// </summary>
public sealed class TrainingCheckpoints
{
    /// <summary>Name of the log of a run, which its checkpoints go on with.</summary>
    public const string Log = "log.jsonl";

    private const int Version = 1;
    private const string Prefix = "step-";
    private const string Model = "model.safetensors";
    private const string Moments = "optimizer.safetensors";
    private const string State = "trainer.json";
    private const string Manifest = "manifest.json";
    private const string Complete = "COMPLETE";
    private const string Replaced = ".old";

    private readonly string _folder;

    /// <summary>The checkpoints in a folder.</summary>
    /// <param name="folder">Made with the first checkpoint.</param>
    public TrainingCheckpoints(string folder) => _folder = folder;

    /// <summary>Where a run begins: refuses a folder that holds a run, unless it is to go on.</summary>
    /// <param name="request">What the user asked for.</param>
    /// <param name="report">Told of checkpoints that are passed over.</param>
    /// <returns>The checkpoint to go on from, or null.</returns>
    /// <exception cref="PunaException">There is a run, and <see cref="RecipeRequest.Resume"/> was not asked for; or the log ends before every whole checkpoint.</exception>
    public string? Begin(RecipeRequest request, IRecipeReport report)
    {
        string log = Path.Combine(request.Output, Log);
        if (!request.Resume)
        {
            return !File.Exists(log) && All().Count == 0
                ? null
                : throw new PunaException($"folder {request.Output}: expected none, or one without a run, got one with {(File.Exists(log) ? Log : "checkpoints")}: --resume goes on with it");
        }

        var entries = new List<LogEntry>();
        try
        {
            LineLog<LogEntry>.Read(log, LogJson.Default.LogEntry, e => e.Step == entries.Count + 1, entries);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new PunaException($"log {log}: cannot be read: {e.Message}", e);
        }

        string? path = FindLatest(entries.Count, report.Line, out long? shortest);
        return path is not null || shortest is null
            ? path
            : throw new PunaException($"log {log}: expected at least the {shortest} steps of the oldest checkpoint, got {entries.Count}: without them the run cannot go on, only begin anew in another folder");
    }

    /// <summary>Folder of the newest whole checkpoint, or null. Whatever is incomplete or damaged is passed over, and what the log does not reach.</summary>
    private string? FindLatest(long most, Action<string> passedOver, out long? shortest)
    {
        shortest = null;
        foreach ((string path, long step) in All())
        {
            string? problem = Problem(path);
            if (problem is null && step <= most)
            {
                return path;
            }

            shortest = problem is null ? step : shortest;
            passedOver($"checkpoint {path}: {problem ?? $"the log has {most} steps only"}");
        }

        return null;
    }

    /// <summary>The folders of all checkpoints, whole or not, newest first.</summary>
    private List<(string Path, long Step)> All()
    {
        var all = new List<(string Path, long Step)>();
        foreach (string path in Directory.Exists(_folder) ? Directory.EnumerateDirectories(_folder, Prefix + "*") : [])
        {
            // One that was being replaced when the process died is as good as what was to come in its place.
            ReadOnlySpan<char> name = Path.GetFileName(path.AsSpan())[Prefix.Length..];
            name = name.EndsWith(Replaced, StringComparison.Ordinal) ? name[..^Replaced.Length] : name;
            if (long.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out long step))
            {
                all.Add((path, step));
            }
        }

        all.Sort(static (a, b) => a.Step != b.Step ? b.Step.CompareTo(a.Step) : string.CompareOrdinal(a.Path, b.Path));
        return all;
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
            string complete = Path.Combine(temporary, Complete);
            File.WriteAllBytes(complete, []);
            Flush(complete);
            PutInPlace(temporary, path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new PunaException($"checkpoint {path}: cannot be written: {e.Message}", e);
        }

        RemoveOld(state.Step, keep);
        return path;
    }

    /// <summary>Reads the state of a checkpoint that <see cref="Begin"/> returned.</summary>
    /// <exception cref="PunaException">There is none in it.</exception>
    public static TrainerState ReadState(string path)
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(Path.Combine(path, State)), CheckpointJson.Default.TrainerState) ?? throw new PunaException($"checkpoint {path}: expected a state in {State}, got null");
        }
        catch (JsonException e)
        {
            throw new PunaException($"checkpoint {path}: {State}: {e.Message.ReplaceLineEndings(" ")}", e);
        }
    }

    /// <summary>Checks that a run goes on with the config that it began with.</summary>
    /// <param name="latest">The checkpoint that <see cref="Begin"/> returned, or null.</param>
    /// <param name="identity">Tells configs apart.</param>
    /// <param name="output">Folder of the run.</param>
    /// <exception cref="PunaException">It is another one.</exception>
    public static void RequireConfig(string? latest, string identity, string output)
    {
        if (latest is not null && ReadState(latest).Config != identity)
        {
            throw new PunaException($"config: expected the one that the run in {output} began with, got another");
        }
    }

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

            foreach (CheckpointEntry? entry in manifest.Files)
            {
                if (entry is null)
                {
                    return $"expected names of files in {Manifest}, got null";
                }

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

    /// <summary>Gives a new checkpoint its name. One that has it already is there, under one name or the other, until the new one is.</summary>
    private static void PutInPlace(string temporary, string path)
    {
        string old = path + Replaced;
        if (Directory.Exists(path))
        {
            Remove(old);
            Directory.Move(path, old);
        }

        Directory.Move(temporary, path);
        Remove(old);
    }

    private void RemoveOld(long step, int keep)
    {
        try
        {
            // Later ones are those that were passed over: the run will come to them again.
            foreach ((string old, _) in All().Where(c => c.Step <= step).Skip(keep))
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
