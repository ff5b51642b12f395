using System.Buffers;
using System.Net;
using System.Net.Http.Headers;

namespace Puna.Hub;

/// <summary>Brings one file here: goes on where an earlier attempt stopped, checks length and checksum, and renames at the end.</summary>
/// <param name="http">The way to the hub.</param>
/// <param name="options">Attempts and waits.</param>
/// <param name="reference">The model, for messages and addresses.</param>
/// <param name="listing">The list of files that it is from.</param>
internal sealed class FileDownloader(HubHttp http, HubOptions options, ModelReference reference, HubListing listing)
{
    /// <summary>Downloads.</summary>
    /// <param name="file">The file as listed.</param>
    /// <param name="target">Its final local path.</param>
    /// <param name="twin">A local file that should have the same content (the same file of another revision), or null.</param>
    /// <param name="meter">Is told the progress.</param>
    /// <param name="cancellation">Stops; what is here stays for the next pull.</param>
    /// <exception cref="HubException">It failed for good; nothing has the final name.</exception>
    public async Task DownloadAsync(HubFile file, string target, string? twin, ProgressMeter meter, CancellationToken cancellation)
    {
        using PartialFile partial = await PartialFile.OpenAsync(target, file.Size, file.Sha256, bytes => meter.Tick(PullStage.Verifying, bytes), cancellation);
        meter.Begin(partial.Length);
        if (twin is not null && partial.Length == 0 && await CopyAsync(file, twin, partial, meter, cancellation))
        {
            Finish(file.Path, file.Sha256, partial, meter);
            return;
        }

        var retries = new RetryBudget(options, What(file.Path), resumes: true, note => meter.Say(PullStage.Retrying, partial.Length, note));
        string? expected = file.Sha256;
        string revision = listing.HasCommits ? listing.Commit : reference.Revision;

        // All bytes may be here already; a checksum is known then (PartialFile.OpenAsync).
        bool complete = partial.Length > 0 && partial.Length == file.Size;
        while (!complete)
        {
            try
            {
                using HubResponse response = await http.GetAsync(Address(file.Path, revision), partial.Length, partial.Note?.Tag, cancellation);
                if (response.Status == HttpStatusCode.NotFound && response.FromEndpoint && revision != reference.Revision)
                {
                    // Some mirrors know branches only. What they send is held against the list of files all the same.
                    revision = reference.Revision;
                    continue;
                }

                expected = await ReceiveAsync(file, response, partial, meter, retries, cancellation);
                complete = true;
            }
            catch (TransientHubException e)
            {
                await retries.WaitAsync(e, cancellation);
            }
        }

        Finish(file.Path, expected, partial, meter);
    }

    /// <summary>Takes in one answer to its end. Returns the checksum that the file should have, or null.</summary>
    private async Task<string?> ReceiveAsync(
        HubFile file, HubResponse response, PartialFile partial, ProgressMeter meter, RetryBudget retries, CancellationToken cancellation)
    {
        if (response.Status == HttpStatusCode.RequestedRangeNotSatisfiable && partial.Length > 0)
        {
            partial.Restart(new PartialNote(file.Size, file.Sha256, null));
            throw new TransientHubException($"{response.Host} has no bytes after those that are here (HTTP 416); beginning anew");
        }

        if (response.Status is not (HttpStatusCode.OK or HttpStatusCode.PartialContent)) throw http.Refusal(response, reference, file.Path);
        (long? size, string? sha256) = Expect(file, response);
        var note = new PartialNote(size, sha256, response.StrongTag);
        if (response.Status == HttpStatusCode.OK)
        {
            size = CheckLength(file.Path, size, response.Headers.ContentLength, response.Host);
            partial.Restart(note with { Size = size });
        }
        else
        {
            size = CheckRange(file.Path, note, response, partial);
        }

        if (size is null && !response.HasEnd)
        {
            throw new HubException(
                HubErrorKind.BadAnswer, $"{What(file.Path)}: expected a length in the list of files or in the answer, got none ({response.Host})");
        }

        meter.Total = size;
        meter.Begin(partial.Length);
        meter.Say(PullStage.Downloading, partial.Length);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(PartialFile.BufferSize);
        try
        {
            int read;
            while ((read = await response.ReadAsync(buffer)) > 0)
            {
                if (size is { } most && read > most - partial.Length)
                {
                    partial.Discard();
                    throw new HubException(HubErrorKind.Corrupt, $"{What(file.Path)}: expected {most} bytes, got more ({response.Host})");
                }

                await partial.WriteAsync(buffer.AsMemory(0, read), cancellation);
                retries.Reached(partial.Length);
                meter.Tick(PullStage.Downloading, partial.Length);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        return size is null || partial.Length == size
            ? sha256
            : throw new TransientHubException($"{response.Host} ended the connection after {partial.Length} of {size} bytes");
    }

    /// <summary>Size and checksum from the list and from the answer; two that differ are an error before a byte is fetched.</summary>
    private (long? Size, string? Sha256) Expect(HubFile file, HubResponse response)
    {
        LinkedFile linked = response.Linked;
        if (file.Size is { } size && linked.Size is { } linkedSize && size != linkedSize)
        {
            throw new HubException(HubErrorKind.Corrupt, $"{What(file.Path)}: expected {size} bytes, got {linkedSize} (X-Linked-Size)");
        }

        if (file.Sha256 is { } sha && linked.Sha256 is { } linkedSha && sha != linkedSha)
        {
            throw new HubException(HubErrorKind.Corrupt, $"{What(file.Path)}: expected SHA-256 {sha}, got {linkedSha} (X-Linked-Etag)");
        }

        // Without a checksum in the list, only the commit tells that the content is the one listed.
        if (listing.HasCommits && file.Sha256 is null && linked.Commit is { } now && HubListing.IsCommit(now) && now != listing.Commit)
        {
            throw new HubException(
                HubErrorKind.BadAnswer, $"{What(file.Path)}: expected commit {listing.Commit}, got {now}; the model has just changed, pull again");
        }

        if (response.Headers.ContentEncoding.Any(name => !name.Equals("identity", StringComparison.OrdinalIgnoreCase)))
        {
            string encoding = string.Join(", ", response.Headers.ContentEncoding);
            throw new HubException(HubErrorKind.BadAnswer, $"{What(file.Path)}: expected the bytes as they are, got Content-Encoding {encoding} ({response.Host})");
        }

        return (file.Size ?? linked.Size, file.Sha256 ?? linked.Sha256);
    }

    private long? CheckLength(string path, long? size, long? announced, string host) =>
        size is { } expected && announced is { } got && expected != got
            ? throw new HubException(HubErrorKind.Corrupt, $"{What(path)}: expected {expected} bytes, got {got} (Content-Length of {host})")
            : size ?? announced;

    private long? CheckRange(string path, PartialNote note, HubResponse response, PartialFile partial)
    {
        ContentRangeHeaderValue? range = response.Headers.ContentRange;
        bool fits = partial.Length > 0 && range is { Unit: "bytes", From: { } from } && from == partial.Length
            && (range.To is not { } to || range.Length is not { } whole || to == whole - 1);
        bool same = note.Tag is null || partial.Note?.Tag is null || note.Tag == partial.Note.Tag;
        bool sameSum = note.Sha256 is null || partial.Note?.Sha256 is null || note.Sha256 == partial.Note.Sha256;
        if (!fits || !same || !sameSum)
        {
            partial.Restart(note);
            throw new TransientHubException($"{response.Host} answered with other bytes than those asked for; beginning anew");
        }

        long? size = CheckLength(path, note.Size ?? partial.Note?.Size, range!.Length, response.Host);
        return CheckLength(path, size, response.Headers.ContentLength + partial.Length, response.Host);
    }

    private void Finish(string path, string? expected, PartialFile partial, ProgressMeter meter)
    {
        if (expected is not null && partial.Sha256() is var got && got != expected)
        {
            partial.Discard();
            throw new HubException(HubErrorKind.Corrupt, $"{What(path)}: expected SHA-256 {expected}, got {got}; the download is deleted, pull again");
        }

        long length = partial.Length;
        partial.Commit();
        meter.Total = length;
        meter.Say(PullStage.Done, length);
    }

    /// <summary>Copies a file that is here already under another revision; false, with nothing kept, when it is not what the list says.</summary>
    private static async Task<bool> CopyAsync(HubFile file, string twin, PartialFile partial, ProgressMeter meter, CancellationToken cancellation)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(PartialFile.BufferSize);
        try
        {
            using var source = new FileStream(twin, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, bufferSize: 0);
            partial.Restart(new PartialNote(file.Size, file.Sha256, null));
            int read;
            while ((read = await source.ReadAsync(buffer, cancellation)) > 0)
            {
                await partial.WriteAsync(buffer.AsMemory(0, read), cancellation);
                meter.Tick(PullStage.Verifying, partial.Length);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Unreadable here: the hub has it too.
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        if (partial.Length == file.Size && partial.Sha256() == file.Sha256) return true;
        partial.Restart(new PartialNote(file.Size, file.Sha256, null));
        return false;
    }

    private Uri Address(string path, string revision) => http.Address([reference.Owner, reference.Name, "resolve", revision, .. path.Split('/')]);

    private string What(string path) => $"file {path} of {reference.Id}";
}
