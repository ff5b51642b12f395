using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Puna.Formats;
using Puna.Tensors;

namespace Puna.Training.Recipes.Pretraining;

/// <summary>A file with a JSON object per line that grows with a run. A run that goes on from a checkpoint cuts it back to there; a line that a killed process left half written goes with it.</summary>
/// <typeparam name="T">What a line says.</typeparam>
internal sealed class LineLog<T> : IDisposable
{
    private readonly JsonTypeInfo<T> _type;
    private readonly FileStream _stream;

    private LineLog(FileStream stream, JsonTypeInfo<T> type) => (_stream, _type) = (stream, type);

    /// <summary>Opens the log.</summary>
    /// <param name="path">The file.</param>
    /// <param name="type">How a line is read and written.</param>
    /// <param name="keep">Which lines stay; reading ends with the first that does not.</param>
    /// <param name="kept">Receives these.</param>
    /// <exception cref="PunaException">The file cannot be read or written.</exception>
    public static LineLog<T> Open(string path, JsonTypeInfo<T> type, Func<T, bool> keep, List<T> kept)
    {
        try
        {
            Read(path, type, keep, kept);
            using var bytes = new MemoryStream();
            foreach (T entry in kept)
            {
                bytes.Write(Line(entry, type));
            }

            StagedFiles.Write(path, bytes.ToArray());
            return new LineLog<T>(new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.Read), type);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new PunaException($"log {path}: cannot be written: {e.Message}", e);
        }
    }

    /// <summary>Reads the log, where there is one.</summary>
    /// <inheritdoc cref="Open" path="/param"/>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static void Read(string path, JsonTypeInfo<T> type, Func<T, bool> keep, List<T> kept)
    {
        foreach (string line in File.Exists(path) ? File.ReadLines(path) : [])
        {
            T? entry = Read(line, type);
            if (entry is null || !keep(entry))
            {
                break;
            }

            kept.Add(entry);
        }
    }

    /// <summary>Adds a line and hands it to the system.</summary>
    public void Add(T entry)
    {
        _stream.Write(Line(entry, _type));
        _stream.Flush();
    }

    /// <summary>Waits until all lines are on the disk.</summary>
    public void Sync() => _stream.Flush(flushToDisk: true);

    /// <inheritdoc/>
    public void Dispose() => _stream.Dispose();

    private static byte[] Line(T entry, JsonTypeInfo<T> type)
    {
        // The generated writer indents as the configs are; a line must not.
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            JsonSerializer.Serialize(writer, entry, type);
        }

        buffer.WriteByte((byte)'\n');
        return buffer.ToArray();
    }

    private static T? Read(string line, JsonTypeInfo<T> type)
    {
        try
        {
            return JsonSerializer.Deserialize(line, type);
        }
        catch (JsonException)
        {
            return default;
        }
    }
}
