using System.Diagnostics.CodeAnalysis;
using Puna.Tensors;

namespace Puna.Hub;

/// <summary>The models that are on this machine. Never touches the network.</summary>
public sealed class HubCache
{
    /// <summary>Opens a cache; the folder need not exist.</summary>
    /// <param name="folder">Its folder, or null for <see cref="DefaultFolder"/>.</param>
    public HubCache(string? folder = null) => Folder = folder is null ? DefaultFolder : Path.GetFullPath(folder);

    /// <summary>
    /// <c>PUNA_CACHE</c>; else <c>%LOCALAPPDATA%\puna</c> on Windows, <c>~/Library/Caches/puna</c> on macOS, <c>$XDG_CACHE_HOME/puna</c> or
    /// <c>~/.cache/puna</c> elsewhere.
    /// </summary>
    public static string DefaultFolder => HubSettings.FindCache(null, Environment.GetEnvironmentVariable, HubSettings.Home);

    /// <summary>Full path of the cache.</summary>
    public string Folder { get; }

    /// <summary>All models, by name; a model has an entry for each revision that has files here.</summary>
    /// <exception cref="HubException">The cache cannot be read.</exception>
    public IReadOnlyList<CachedModel> List()
    {
        var models = new List<CachedModel>();
        string root = CacheLayout.Models(Folder);
        try
        {
            if (!Directory.Exists(root)) return models;
            foreach (string owner in Directory.EnumerateDirectories(root))
            {
                foreach (string model in Directory.EnumerateDirectories(owner))
                {
                    string name = $"{Path.GetFileName(owner)}/{Path.GetFileName(model)}";
                    if (ModelReference.TryParse(name, out ModelReference? reference)) Describe(Layout(reference), models);
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw LocalDisk.Fail("read", root, e);
        }

        models.Sort(static (a, b) => string.CompareOrdinal(a.Name, b.Name) is var byName && byName != 0 ? byName : b.LastUsed.CompareTo(a.LastUsed));
        return models;
    }

    /// <summary>Finds a model whose files are all here.</summary>
    /// <param name="reference">Its name.</param>
    /// <param name="files">Its local files.</param>
    /// <returns>Whether it is here. A branch may have moved on at the hub meanwhile.</returns>
    public bool TryFind(ModelReference reference, [NotNullWhen(true)] out ModelFiles? files)
    {
        ArgumentNullException.ThrowIfNull(reference);
        files = Find(reference, out _);
        return files is not null;
    }

    /// <summary>Removes a model.</summary>
    /// <param name="name">
    /// <c>owner/name</c> for all of it, <c>owner/name@revision</c> for one revision, <c>owner/name:file</c> for a file (all parts of a split one).
    /// </param>
    /// <returns>How many bytes that freed, unfinished downloads included.</returns>
    /// <exception cref="PunaException">The name is no name.</exception>
    /// <exception cref="HubException">It is not here, is in use, or cannot be deleted.</exception>
    public long Remove(string name) => CacheRemoval.Remove(this, ModelReference.Parse(name), everything: name.IndexOfAny(['@', ':']) < 0);

    internal CacheLayout Layout(ModelReference reference) => new(Folder, reference.Owner, reference.Name);

    /// <summary>Finds a model; <paramref name="why"/> says what is missing.</summary>
    internal ModelFiles? Find(ModelReference reference, out string why)
    {
        CacheLayout layout = Layout(reference);
        why = $"it is not in the cache ({Folder})";
        if (FindCommit(layout, reference) is not { } commit || layout.ReadListing(commit) is not { } listing) return null;
        ChosenFiles chosen;
        try
        {
            chosen = FileChoice.Choose(listing, reference);
        }
        catch (HubException e)
        {
            why = e.Message;
            return null;
        }

        string folder = layout.Snapshot(commit);
        foreach (HubFile file in chosen.Files)
        {
            if (!IsHere(folder, file))
            {
                why = $"its file {file.Path} is not in the cache ({Folder})";
                return null;
            }
        }

        layout.Touch(commit);
        return Files(reference, commit, folder, chosen);
    }

    /// <summary>The commit that a revision means here, or null.</summary>
    internal static string? FindCommit(CacheLayout layout, ModelReference reference)
    {
        if (layout.ReadRefs().TryGetValue(reference.Revision, out string? commit)) return commit;
        return HubListing.IsCommit(reference.Revision) ? reference.Revision : null;
    }

    /// <summary>Whether a file is here whole. Only whole files have their final names; the length guards against later damage.</summary>
    internal static bool IsHere(string folder, HubFile file)
    {
        var info = new FileInfo(SafePath.Combine(folder, file.Path));
        return info.Exists && (file.Size is null || info.Length == file.Size);
    }

    internal static ModelFiles Files(ModelReference reference, string commit, string folder, ChosenFiles chosen)
    {
        string open = chosen.Open.Length == 0 ? folder : SafePath.Combine(folder, chosen.Open);
        return new ModelFiles(reference, commit, folder, open, chosen.Files.Select(file => SafePath.Combine(folder, file.Path)).ToList());
    }

    private static void Describe(CacheLayout layout, List<CachedModel> models)
    {
        SortedDictionary<string, string> refs = layout.ReadRefs();
        foreach (string commit in layout.Commits())
        {
            string folder = layout.Snapshot(commit);
            var files = new List<string>();
            long bytes = 0, partial = 0;
            foreach (FileInfo file in new DirectoryInfo(folder).EnumerateFiles("*", SearchOption.AllDirectories))
            {
                if (file.Name.EndsWith(SafePath.PartialSuffix, StringComparison.Ordinal))
                {
                    partial += file.Length;
                }
                else if (!file.Name.EndsWith(SafePath.SidecarSuffix, StringComparison.Ordinal) && !file.Name.EndsWith(".tmp", StringComparison.Ordinal))
                {
                    files.Add(Path.GetRelativePath(folder, file.FullName).Replace(Path.DirectorySeparatorChar, '/'));
                    bytes += file.Length;
                }
            }

            files.Sort(StringComparer.Ordinal);
            string names = string.Join(", ", refs.Where(entry => entry.Value == commit).Select(entry => entry.Key));
            string listing = layout.ListingPath(commit);
            DateTime used = File.Exists(listing) ? File.GetLastWriteTimeUtc(listing) : Directory.GetLastWriteTimeUtc(folder);
            models.Add(new CachedModel(layout.Id, names.Length > 0 ? names : commit, commit, folder, files, bytes, partial, used));
        }
    }
}
