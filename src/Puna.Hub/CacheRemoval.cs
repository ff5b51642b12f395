namespace Puna.Hub;

/// <summary>Deletes models, revisions and files from a cache.</summary>
internal static class CacheRemoval
{
    /// <summary>See <see cref="HubCache.Remove"/>.</summary>
    public static long Remove(HubCache cache, ModelReference reference, bool everything)
    {
        CacheLayout layout = cache.Layout(reference);
        if (!Directory.Exists(layout.Folder)) throw Missing(cache, reference);
        using var held = CacheLock.Take(layout.Lock, $"model {reference.Id}");
        try
        {
            if (everything) return RemoveAll(layout);
            if (HubCache.FindCommit(layout, reference) is not { } commit || !Directory.Exists(layout.Snapshot(commit))) throw Missing(cache, reference);
            return reference.File is null ? RemoveRevision(layout, commit) : RemoveFiles(cache, layout, reference, commit);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw LocalDisk.Fail("remove", layout.Folder, e);
        }
    }

    private static long RemoveAll(CacheLayout layout)
    {
        long bytes = Size(layout.Snapshots);

        // The names first: what is half deleted is not found any more.
        layout.WriteRefs(new Dictionary<string, string>());
        Directory.Delete(layout.Folder, recursive: true);
        DeleteIfEmpty(Path.GetDirectoryName(layout.Folder)!);
        return bytes;
    }

    private static long RemoveRevision(CacheLayout layout, string commit)
    {
        string folder = layout.Snapshot(commit);
        long bytes = Size(folder);
        SortedDictionary<string, string> refs = layout.ReadRefs();
        foreach (string revision in refs.Where(entry => entry.Value == commit).Select(entry => entry.Key).ToList()) refs.Remove(revision);
        layout.WriteRefs(refs);
        File.Delete(layout.ListingPath(commit));
        Directory.Delete(folder, recursive: true);
        return layout.Commits().Any() ? bytes : bytes + RemoveAll(layout);
    }

    private static long RemoveFiles(HubCache cache, CacheLayout layout, ModelReference reference, string commit)
    {
        if (layout.ReadListing(commit) is not { } listing) throw Missing(cache, reference);
        string folder = layout.Snapshot(commit);
        long bytes = 0;
        bool any = false;
        foreach (HubFile file in FileChoice.Choose(listing, reference).Files)
        {
            // The configuration beside a named safetensors file belongs to other files as well.
            if (file.Path != reference.File && !IsPart(file.Path)) continue;
            foreach (string suffix in (ReadOnlySpan<string>)["", SafePath.PartialSuffix, SafePath.SidecarSuffix])
            {
                var info = new FileInfo(SafePath.Combine(folder, file.Path) + suffix);
                if (!info.Exists) continue;
                any = true;
                if (suffix != SafePath.SidecarSuffix) bytes += info.Length;
                info.Delete();
            }
        }

        if (!any) throw Missing(cache, reference);
        return Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Any() ? bytes : bytes + RemoveRevision(layout, commit);
    }

    private static bool IsPart(string path) =>
        path.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase) || path.EndsWith(".safetensors", StringComparison.OrdinalIgnoreCase)
        || path.EndsWith(".pth", StringComparison.OrdinalIgnoreCase);

    private static long Size(string folder) =>
        Directory.Exists(folder) ? new DirectoryInfo(folder).EnumerateFiles("*", SearchOption.AllDirectories).Sum(file => file.Length) : 0;

    private static void DeleteIfEmpty(string folder)
    {
        try
        {
            if (!Directory.EnumerateFileSystemEntries(folder).Any()) Directory.Delete(folder);
        }
        catch (IOException)
        {
            // Another model of the same owner has just arrived.
        }
    }

    private static HubException Missing(HubCache cache, ModelReference reference) =>
        new(HubErrorKind.NotFound, $"model {reference}: not in the cache ({cache.Folder})");
}
