using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Puna.Hub;

/// <summary>
/// The files of a repository at one commit: the hub's answer to <c>/api/models/{owner}/{name}/revision/{rev}?blobs=true</c>, also kept in the cache in
/// the same form.
/// </summary>
/// <param name="Commit">Commit id, lower-case hexadecimal.</param>
/// <param name="Files">All files, in the order listed.</param>
/// <param name="HasCommits">Whether the commit is the hub's; otherwise it is made from the list itself, and the hub does not know it.</param>
internal sealed record HubListing(string Commit, IReadOnlyList<HubFile> Files, bool HasCommits = true)
{
    /// <summary>No repository has a listing longer than this; a server that sends more is cut off.</summary>
    public const int LongestJson = 64 << 20;

    private const int MostFiles = 200_000;
    private const long LargestFile = 1L << 50;

    /// <summary>Reads a listing, trusting nothing in it.</summary>
    /// <param name="json">The answer.</param>
    /// <param name="where">Who answered about what, for messages.</param>
    /// <exception cref="HubException">It is not a listing, or a file name in it is hostile.</exception>
    public static HubListing Parse(ReadOnlyMemory<byte> json, string where)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 32 });
            return Read(document.RootElement, where);
        }
        catch (JsonException e)
        {
            throw Bad(where, "JSON", $"something else at byte {(e.BytePositionInLine ?? 0).ToString(CultureInfo.InvariantCulture)}", e);
        }
        catch (InvalidOperationException e)
        {
            // A string with half a surrogate pair in it.
            throw Bad(where, "valid Unicode text", "something else", e);
        }
    }

    /// <summary>Writes the listing in the hub's own form.</summary>
    public byte[] Write()
    {
        var buffer = new ArrayBufferWriter<byte>();
        using var writer = new Utf8JsonWriter(buffer);
        writer.WriteStartObject();
        writer.WriteString("sha", Commit);
        writer.WriteStartArray("siblings");
        foreach (HubFile file in Files)
        {
            writer.WriteStartObject();
            writer.WriteString("rfilename", file.Path);
            if (file.Size is { } size) writer.WriteNumber("size", size);
            if (file.Sha256 is { } sha)
            {
                writer.WriteStartObject("lfs");
                writer.WriteString("sha256", sha);
                writer.WriteEndObject();
            }

            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
        writer.Flush();
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>Whether text is a commit id: it becomes a folder's name.</summary>
    public static bool IsCommit(string text) => text.Length is >= 7 and <= 64 && ModelReference.IsHex(text);

    private static HubListing Read(JsonElement root, string where)
    {
        if (root.ValueKind != JsonValueKind.Object) throw Bad(where, "a JSON object", root.ValueKind.ToString());
        if (!root.TryGetProperty("siblings", out JsonElement siblings) || siblings.ValueKind != JsonValueKind.Array)
        {
            throw Bad(where, "a list of files ('siblings')", "none");
        }

        int count = siblings.GetArrayLength();
        if (count > MostFiles) throw Bad(where, $"at most {MostFiles} files", count.ToString(CultureInfo.InvariantCulture));
        var files = new List<HubFile>(count);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (JsonElement entry in siblings.EnumerateArray())
        {
            HubFile file = ReadFile(entry, where);
            if (!seen.Add(file.Path)) throw Bad(where, "each file once", $"'{file.Path}' twice");
            files.Add(file);
        }

        return ReadCommit(root, where) is { } commit ? new HubListing(commit, files) : new HubListing(Fingerprint(files), files, HasCommits: false);
    }

    private static HubFile ReadFile(JsonElement entry, string where)
    {
        if (entry.ValueKind != JsonValueKind.Object || !entry.TryGetProperty("rfilename", out JsonElement name) || name.ValueKind != JsonValueKind.String)
        {
            throw Bad(where, "a file name ('rfilename')", "none");
        }

        string path = name.GetString()!;
        if (SafePath.Escape(path) is { } problem) throw Bad(where, "file names below the model's folder", $"'{path}', which is not allowed: {problem}");
        long? size = ReadSize(entry, path, where);
        string? sha = null;
        if (entry.TryGetProperty("lfs", out JsonElement lfs) && lfs.ValueKind == JsonValueKind.Object)
        {
            long? lfsSize = ReadSize(lfs, path, where);
            if (size is not null && lfsSize is not null && size != lfsSize) throw Bad(where, $"one size of '{path}'", $"{size} and {lfsSize}");
            size ??= lfsSize;

            // Lists of a folder's files call it oid, and so do some mirrors here.
            if ((lfs.TryGetProperty("sha256", out JsonElement digest) || lfs.TryGetProperty("oid", out digest)) && digest.ValueKind != JsonValueKind.Null)
            {
                sha = digest.ValueKind == JsonValueKind.String ? digest.GetString()!.ToLowerInvariant() : "";
                if (sha.Length != 64 || !ModelReference.IsHex(sha)) throw Bad(where, $"a SHA-256 of '{path}' (64 hexadecimal digits)", $"'{sha}'");
            }
        }

        return new HubFile(path, size, sha);
    }

    private static long? ReadSize(JsonElement entry, string path, string where)
    {
        if (!entry.TryGetProperty("size", out JsonElement element) || element.ValueKind == JsonValueKind.Null) return null;
        return element.ValueKind == JsonValueKind.Number && element.TryGetInt64(out long size) && size is >= 0 and <= LargestFile
            ? size
            : throw Bad(where, $"a size of '{path}' from 0 to 2^50", element.GetRawText());
    }

    private static string? ReadCommit(JsonElement root, string where)
    {
        if (!root.TryGetProperty("sha", out JsonElement sha) || sha.ValueKind == JsonValueKind.Null) return null;
        string commit = sha.ValueKind == JsonValueKind.String ? sha.GetString()! : "";
        return IsCommit(commit) ? commit : throw Bad(where, "a commit id ('sha')", $"'{commit}'");
    }

    /// <summary>A commit id for a hub without commits: the list names itself, so that other content never ends up in the same folder.</summary>
    private static string Fingerprint(List<HubFile> files)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (HubFile file in files)
        {
            hash.AppendData(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{file.Path}\n{file.Size}\n{file.Sha256}\n")));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset())[..40];
    }

    private static HubException Bad(string where, string expected, string got, Exception? inner = null) =>
        new(HubErrorKind.BadAnswer, $"list of files: expected {expected}, got {got} ({where})", inner);
}
