using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Puna.Hub.Tests;

/// <summary>A hub with one model, <c>owner/name</c>. It behaves unless <see cref="Intercept"/> says otherwise.</summary>
internal sealed class FakeHub : IAsyncDisposable
{
    public const string Commit = "0123456789abcdef0123456789abcdef01234567";

    private readonly LoopbackServer _server;

    public FakeHub(params (string Path, byte[] Content)[] files)
    {
        foreach ((string path, byte[] content) in files) Files[path] = content;
        _server = new LoopbackServer(Answer);
    }

    /// <summary>Files by path. Those not in <c>.json</c> are in large-file storage, with a checksum.</summary>
    public Dictionary<string, byte[]> Files { get; } = [];

    /// <summary>The commit that <c>main</c> is at.</summary>
    public string Head { get; set; } = Commit;

    /// <summary>Whether the list of files has sizes and checksums.</summary>
    public bool ListsBlobs { get; set; } = true;

    /// <summary>May answer a request in another way; null for the usual one.</summary>
    public Func<Request, Reply?>? Intercept { get; set; }

    public string Address => _server.Address;

    public IReadOnlyCollection<Request> Requests => _server.Requests;

    /// <summary>The requests for a file, in order.</summary>
    public List<Request> RequestsFor(string path) => _server.Requests.Where(request => IsFile(request, path)).ToList();

    public static bool IsFile(Request request, string path) => request.Target.Contains("/resolve/", StringComparison.Ordinal) && request.Target.EndsWith("/" + path, StringComparison.Ordinal);

    public static string Sha256(byte[] content) => Convert.ToHexStringLower(SHA256.HashData(content));

    /// <summary>Bytes that look random and are the same every time.</summary>
    public static byte[] Bytes(int count, int seed = 1)
    {
        var bytes = new byte[count];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    public static Reply Json(string json) => new Reply(200, Encoding.UTF8.GetBytes(json)).With("Content-Type", "application/json");

    public HubOptions Options(string cache) => new()
    {
        Endpoint = Address,
        CacheFolder = cache,
        Token = "",
        Offline = false,
        RetryDelay = TimeSpan.FromMilliseconds(5),
        StallTimeout = TimeSpan.FromSeconds(20),
    };

    public HubClient Client(string cache, Func<HubOptions, HubOptions>? change = null) => new(change is null ? Options(cache) : change(Options(cache)));

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    /// <summary>The whole file, or the part that the request asks for.</summary>
    public static Reply Serve(Request request, byte[] content, string tag)
    {
        string? range = request.Header("Range");
        if (range is null || (request.Header("If-Range") is { } wanted && wanted != tag)) return new Reply(200, content).With("ETag", tag);
        int from = int.Parse(range["bytes=".Length..].TrimEnd('-'), CultureInfo.InvariantCulture);
        return from >= content.Length
            ? new Reply(416, []).With("Content-Range", $"bytes */{content.Length}")
            : new Reply(206, content[from..]).With("ETag", tag).With("Content-Range", $"bytes {from}-{content.Length - 1}/{content.Length}");
    }

    public Reply Usual(Request request)
    {
        if (request.Target.StartsWith("/api/models/owner/name/revision/", StringComparison.Ordinal)) return Json(Listing());
        foreach ((string path, byte[] content) in Files)
        {
            if (!IsFile(request, path)) continue;
            Reply reply = Serve(request, content, $"\"{Sha256(content)[..16]}\"").With("X-Repo-Commit", Head).With("X-Linked-Size", content.Length.ToString(CultureInfo.InvariantCulture));
            return path.EndsWith(".json", StringComparison.Ordinal) ? reply : reply.With("X-Linked-Etag", $"\"{Sha256(content)}\"");
        }

        return new Reply(404, "{}"u8.ToArray()).With("X-Error-Code", request.Target.Contains("/resolve/", StringComparison.Ordinal) ? "EntryNotFound" : "RepoNotFound");
    }

    private Reply Answer(Request request) => Intercept?.Invoke(request) ?? Usual(request);

    private string Listing() => JsonSerializer.Serialize(new
    {
        id = "owner/name",
        sha = Head,
        siblings = Files.Select(file => !ListsBlobs ? (object)new { rfilename = file.Key }
            : file.Key.EndsWith(".json", StringComparison.Ordinal) ? new { rfilename = file.Key, size = file.Value.Length }
            : new { rfilename = file.Key, size = file.Value.Length, lfs = new { sha256 = Sha256(file.Value), size = file.Value.Length } }),
    });
}
