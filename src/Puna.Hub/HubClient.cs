using Puna.Tensors;

namespace Puna.Hub;

/// <summary>Brings models from a hub with the Hugging Face interface into the local cache.</summary>
public sealed class HubClient : IDisposable
{
    private readonly HubSettings _settings;
    private readonly HubHttp _http;
    private readonly Func<string, long?> _freeBytes;

    /// <summary>Creates a client; nothing is sent yet.</summary>
    /// <param name="options">Where the hub and the cache are; what is left open comes from the environment.</param>
    /// <param name="handler">
    /// Sends the requests, for proxies and tests; stays the caller's. It must not follow redirects itself: the client does, so that the token stays
    /// with the endpoint.
    /// </param>
    /// <exception cref="PunaException">An option or an environment variable is not what it should be.</exception>
    public HubClient(HubOptions? options = null, HttpMessageHandler? handler = null)
        : this(HubSettings.Resolve(options ?? new HubOptions()), handler, LocalDisk.Free)
    {
    }

    internal HubClient(HubSettings settings, HttpMessageHandler? handler, Func<string, long?> freeBytes)
    {
        _settings = settings;
        _http = new HubHttp(settings, handler);
        _freeBytes = freeBytes;
        Cache = new HubCache(settings.CacheFolder);
    }

    /// <summary>The cache that models are pulled into.</summary>
    public HubCache Cache { get; }

    /// <summary>Base address of the hub.</summary>
    public Uri Endpoint => _settings.Endpoint;

    /// <summary>
    /// Gives the local files of a model. If they are all in the cache the network is not touched (unless <see cref="HubOptions.Refresh"/>); otherwise they are
    /// downloaded, going on where an earlier pull was interrupted, and checked. A file has its final name only when it is complete.
    /// </summary>
    /// <param name="reference">The model's name.</param>
    /// <param name="progress">Is told how far it has come, on the thread that works; may be null.</param>
    /// <param name="cancellation">Stops the pull; what is here already stays for the next.</param>
    /// <exception cref="HubException">The model is not there, may not be read, or did not come through whole; the message says what to do.</exception>
    /// <exception cref="OperationCanceledException">The caller stopped it.</exception>
    public async Task<ModelFiles> PullAsync(ModelReference reference, IProgress<PullProgress>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(reference);
        string missing = "";
        if ((!_settings.Options.Refresh || _settings.Offline) && Cache.Find(reference, out missing) is { } cached) return cached;
        if (_settings.Offline)
        {
            throw new HubException(HubErrorKind.Offline, $"model {reference}: offline mode is on (option, PUNA_OFFLINE or HF_HUB_OFFLINE) and {missing}");
        }

        CacheLayout layout = Cache.Layout(reference);
        bool waited = false;
        void Waiting()
        {
            waited = true;
            progress?.Report(new PullProgress(PullStage.Waiting, "", 0, 0, 0, null, 0, $"another process is downloading {reference.Id}; waiting for it"));
        }

        using CacheLock held = await CacheLock.TakeAsync(layout.Lock, $"model {reference.Id}", _settings.Options.LockTimeout, Waiting, cancellation);

        // The other process may have brought just this.
        if (waited && !_settings.Options.Refresh && Cache.Find(reference, out _) is { } brought) return brought;
        HubListing listing = await ListAsync(reference, progress, cancellation);
        ChosenFiles chosen = FileChoice.Choose(listing, reference);
        await DownloadAsync(layout, reference, listing, chosen, progress, cancellation);
        Remember(layout, reference, listing.Commit);
        return HubCache.Files(reference, listing.Commit, layout.Snapshot(listing.Commit), chosen);
    }

    /// <summary>Closes the connections.</summary>
    public void Dispose() => _http.Dispose();

    private async Task<HubListing> ListAsync(ModelReference reference, IProgress<PullProgress>? progress, CancellationToken cancellation)
    {
        void Say(PullStage stage, string? note) => progress?.Report(new PullProgress(stage, "", 0, 0, 0, null, 0, note));
        Say(PullStage.Listing, null);
        Uri address = new(_http.Address("api", "models", reference.Owner, reference.Name, "revision", reference.Revision).AbsoluteUri + "?blobs=true");
        var retries = new RetryBudget(_settings.Options, $"model {reference.Id}", resumes: false, note => Say(PullStage.Retrying, note));
        while (true)
        {
            try
            {
                using HubResponse response = await _http.GetAsync(address, 0, null, cancellation);
                if (response.Status != System.Net.HttpStatusCode.OK) throw _http.Refusal(response, reference, null);
                string where = $"{response.Host} about {reference.Id}";
                HubListing listing = HubListing.Parse(await response.ReadAllAsync(HubListing.LongestJson, where), where);
                return reference.IsPinned && listing.HasCommits && listing.Commit != reference.Revision
                    ? throw new HubException(HubErrorKind.BadAnswer, $"list of files: expected commit {reference.Revision}, got {listing.Commit} ({where})")
                    : listing;
            }
            catch (TransientHubException e)
            {
                await retries.WaitAsync(e, cancellation);
            }
        }
    }

    private async Task DownloadAsync(
        CacheLayout layout, ModelReference reference, HubListing listing, ChosenFiles chosen, IProgress<PullProgress>? progress, CancellationToken cancellation)
    {
        string folder = layout.Snapshot(listing.Commit);
        layout.WriteListing(listing);
        List<HubFile> needed = chosen.Files.Where(file => !HubCache.IsHere(folder, file)).ToList();
        LocalDisk.Require(Cache.Folder, StillToCome(folder, needed), _freeBytes(Cache.Folder));
        var downloader = new FileDownloader(_http, _settings.Options, reference, listing);
        for (int i = 0; i < needed.Count; i++)
        {
            HubFile file = needed[i];
            var meter = new ProgressMeter(progress, file.Path, i + 1, needed.Count, file.Size);
            try
            {
                await downloader.DownloadAsync(file, SafePath.Combine(folder, file.Path), FindTwin(layout, listing.Commit, file), meter, cancellation);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw LocalDisk.Fail("write", SafePath.Combine(folder, file.Path), e);
            }
        }
    }

    private static long StillToCome(string folder, List<HubFile> needed)
    {
        Int128 bytes = 0;
        foreach (HubFile file in needed) bytes += Math.Max(0, (file.Size ?? 0) - PartialFile.Left(SafePath.Combine(folder, file.Path)));
        return (long)Int128.Min(bytes, long.MaxValue);
    }

    /// <summary>A branch that moves on mostly changes a small file; the large ones are here under the commit before.</summary>
    private static string? FindTwin(CacheLayout layout, string commit, HubFile file)
    {
        if (file.Sha256 is null || file.Size is null) return null;
        foreach (string other in layout.Commits())
        {
            if (other == commit || layout.ReadListing(other) is not { } listing) continue;
            string folder = layout.Snapshot(other);
            if (listing.Files.Contains(file) && HubCache.IsHere(folder, file)) return SafePath.Combine(folder, file.Path);
        }

        return null;
    }

    private static void Remember(CacheLayout layout, ModelReference reference, string commit)
    {
        SortedDictionary<string, string> refs = layout.ReadRefs();
        if (reference.Revision == commit || (refs.TryGetValue(reference.Revision, out string? before) && before == commit)) return;
        refs[reference.Revision] = commit;
        layout.WriteRefs(refs);
    }
}
