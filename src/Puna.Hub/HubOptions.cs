namespace Puna.Hub;

/// <summary>
/// How to reach the hub and where to keep its files. What is left null comes from the environment, then from the default;
/// <c>docs/hub.md</c> has the list.
/// </summary>
public sealed record HubOptions
{
    /// <summary>Base address of the hub. Null: <c>PUNA_HUB</c>, else <c>HF_ENDPOINT</c>, else <c>https://huggingface.co</c>.</summary>
    public string? Endpoint { get; init; }

    /// <summary>
    /// Access token for gated and private models; an empty string means none. Null: <c>HF_TOKEN</c>, else the file
    /// <c>HF_TOKEN_PATH</c>, else <c>token</c> in <c>HF_HOME</c>, in <c>$XDG_CACHE_HOME/huggingface</c> or in <c>~/.cache/huggingface</c>. It is sent to the endpoint only, never to a host that the endpoint redirects to.
    /// </summary>
    public string? Token { get; init; }

    /// <summary>Folder of the local cache. Null: see <see cref="HubCache.DefaultFolder"/>.</summary>
    public string? CacheFolder { get; init; }

    /// <summary>Whether to use the cache alone. Null: whether <c>PUNA_OFFLINE</c> or <c>HF_HUB_OFFLINE</c> is <c>1</c> (or <c>true</c>, <c>yes</c>, <c>on</c>).</summary>
    public bool? Offline { get; init; }

    /// <summary>Whether to ask the hub for the newest files of a branch even if the cache has a complete model of that name.</summary>
    public bool Refresh { get; init; }

    /// <summary>How many times in a row something may fail before it is given up, from 1. A download that moved on by a mebibyte counts anew.</summary>
    public int MaxAttempts { get; init; } = 5;

    /// <summary>Time before the second attempt; it doubles with each further one, give or take a quarter.</summary>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Longest time between two attempts. A server that asks for more (<c>Retry-After</c>) is given up instead of waited for.</summary>
    public TimeSpan MaxRetryDelay { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How long to wait for a connection, an answer or the next bytes.</summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long to wait for another process that is downloading the same model.</summary>
    public TimeSpan LockTimeout { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>The endpoint and the cache; never the token, which must not end up in a log.</summary>
    public override string ToString() => $"hub {Endpoint ?? "(default)"}, cache {CacheFolder ?? "(default)"}";
}
