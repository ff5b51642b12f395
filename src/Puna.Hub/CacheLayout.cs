using System.Buffers;
using System.Text.Json;

namespace Puna.Hub;

/// <summary>
/// Where things are in the cache. <c>models/owner/name/</c> holds <c>refs.json</c> (branch or tag to commit, written when a pull is complete),
/// <c>listings/commit.json</c> (the hub's list of files; its time is when the model was last used) and <c>snapshots/commit/</c> (the files).
/// </summary>
internal sealed class CacheLayout(string root, string owner, string name)
{
    private const int LongestRefs = 1 << 20;

    /// <summary>Folder of all models of the cache.</summary>
    public static string Models(string root) => Path.Combine(root, "models");

    /// <summary><c>owner/name</c>.</summary>
    public string Id => $"{owner}/{name}";

    /// <summary>Folder of the model.</summary>
    public string Folder => Path.Combine(Models(root), owner, name);

    /// <summary>The lock file; outside of the folder, because it outlives it.</summary>
    public string Lock => Path.Combine(root, "locks", $"{owner}--{name}.lock");

    /// <summary>Folder of all revisions' files.</summary>
    public string Snapshots => Path.Combine(Folder, "snapshots");

    private string RefsPath => Path.Combine(Folder, "refs.json");

    /// <summary>Folder of the files of a revision.</summary>
    public string Snapshot(string commit) => Path.Combine(Snapshots, commit);

    /// <summary>Path of the list of files of a revision.</summary>
    public string ListingPath(string commit) => Path.Combine(Folder, "listings", commit + ".json");

    /// <summary>The list of files of a revision; null where there is none or it cannot be read.</summary>
    public HubListing? ReadListing(string commit)
    {
        string path = ListingPath(commit);
        if (LocalDisk.ReadSmall(path, HubListing.LongestJson) is not { } json) return null;
        try
        {
            // The folder's name counts: a list without a commit of the hub's would be named anew.
            return HubListing.Parse(json, path) is { } listing && listing.Commit == commit ? listing : null;
        }
        catch (HubException)
        {
            return null;
        }
    }

    /// <summary>Keeps a list of files.</summary>
    public void WriteListing(HubListing listing) => LocalDisk.WriteWhole(ListingPath(listing.Commit), listing.Write());

    /// <summary>Notes that a revision was used; a cache that cannot be written to is used all the same.</summary>
    public void Touch(string commit)
    {
        try
        {
            File.SetLastWriteTimeUtc(ListingPath(commit), DateTime.UtcNow);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The time of last use is for the list only.
        }
    }

    /// <summary>Branches and tags with their commits.</summary>
    public SortedDictionary<string, string> ReadRefs()
    {
        var refs = new SortedDictionary<string, string>(StringComparer.Ordinal);
        if (LocalDisk.ReadSmall(RefsPath, LongestRefs) is not { } json) return refs;
        try
        {
            using JsonDocument document = JsonDocument.Parse(json);
            if (document.RootElement.ValueKind != JsonValueKind.Object) return refs;
            foreach (JsonProperty property in document.RootElement.EnumerateObject())
            {
                if (property.Value.ValueKind != JsonValueKind.String || property.Value.GetString() is not { } commit) continue;
                if (HubListing.IsCommit(commit)) refs[property.Name] = commit;
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // As if there were none: the next pull writes it anew.
        }

        return refs;
    }

    /// <summary>Writes the branches and tags.</summary>
    public void WriteRefs(IReadOnlyDictionary<string, string> refs)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true });
        writer.WriteStartObject();
        foreach ((string revision, string commit) in refs) writer.WriteString(revision, commit);
        writer.WriteEndObject();
        writer.Flush();
        LocalDisk.WriteWhole(RefsPath, buffer.WrittenSpan);
    }

    /// <summary>Ids of the revisions that have files here.</summary>
    public IEnumerable<string> Commits()
    {
        if (!Directory.Exists(Snapshots)) yield break;
        foreach (string folder in Directory.EnumerateDirectories(Snapshots))
        {
            string commit = Path.GetFileName(folder);
            if (HubListing.IsCommit(commit)) yield return commit;
        }
    }
}
