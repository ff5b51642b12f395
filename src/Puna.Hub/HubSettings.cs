using Puna.Tensors;

namespace Puna.Hub;

/// <summary>The options with everything that was left open filled in, and checked.</summary>
internal sealed class HubSettings
{
    public const string DefaultEndpoint = "https://huggingface.co";

    private HubSettings(HubOptions options, Uri endpoint, string? token, string cacheFolder, bool offline)
    {
        Options = options;
        Endpoint = endpoint;
        Token = token;
        CacheFolder = cacheFolder;
        Offline = offline;
    }

    /// <summary>Timeouts and numbers of attempts.</summary>
    public HubOptions Options { get; }

    /// <summary>Base address without a trailing slash, query or user information.</summary>
    public Uri Endpoint { get; }

    /// <summary>The token, or null.</summary>
    public string? Token { get; }

    /// <summary>Full path of the cache.</summary>
    public string CacheFolder { get; }

    /// <summary>Whether the network is off limits.</summary>
    public bool Offline { get; }

    /// <summary>Fills in what <paramref name="options"/> leaves open.</summary>
    /// <param name="options">What the caller chose.</param>
    /// <param name="environment">Reads an environment variable; null or empty where it is not set.</param>
    /// <param name="home">The user's home folder.</param>
    /// <exception cref="PunaException">An option or a variable is not what it should be.</exception>
    public static HubSettings Resolve(HubOptions options, Func<string, string?> environment, string home)
    {
        Require(options.MaxAttempts >= 1, "number of attempts", "at least 1", options.MaxAttempts);
        Require(options.RetryDelay >= TimeSpan.Zero, "retry delay", "no negative time", options.RetryDelay);
        Require(options.MaxRetryDelay >= TimeSpan.Zero && options.MaxRetryDelay.TotalDays <= 1, "longest retry delay", "0 to 1 day", options.MaxRetryDelay);
        Require(options.StallTimeout > TimeSpan.Zero && options.StallTimeout.TotalDays <= 1, "stall timeout", "more than 0, at most 1 day", options.StallTimeout);
        Require(options.LockTimeout >= TimeSpan.Zero, "lock timeout", "no negative time", options.LockTimeout);
        bool offline = options.Offline ?? (IsOn(environment("PUNA_OFFLINE")) || IsOn(environment("HF_HUB_OFFLINE")));
        string cache = FindCache(options.CacheFolder, environment, home);
        return new HubSettings(options, FindEndpoint(options, environment), FindToken(options, environment, home), cache, offline);
    }

    /// <summary>The settings of this process.</summary>
    public static HubSettings Resolve(HubOptions options) => Resolve(options, Environment.GetEnvironmentVariable, Home);

    /// <summary>The user's home folder.</summary>
    public static string Home => Environment.GetFolderPath(Environment.SpecialFolder.UserProfile, Environment.SpecialFolderOption.DoNotVerify);

    /// <summary>The cache's folder; see <see cref="HubCache.DefaultFolder"/>.</summary>
    public static string FindCache(string? option, Func<string, string?> environment, string home)
    {
        if (!string.IsNullOrEmpty(option)) return Path.GetFullPath(option);
        if (environment("PUNA_CACHE") is { Length: > 0 } own) return Path.GetFullPath(own);
        if (OperatingSystem.IsWindows())
        {
            string? local = environment("LOCALAPPDATA");
            return Path.Combine(string.IsNullOrEmpty(local) ? Path.Combine(home, "AppData", "Local") : local, "puna");
        }

        if (OperatingSystem.IsMacOS()) return Path.Combine(home, "Library", "Caches", "puna");

        // The XDG base directory specification says that a relative path is to be ignored.
        string? xdg = environment("XDG_CACHE_HOME");
        return Path.Combine(!string.IsNullOrEmpty(xdg) && Path.IsPathFullyQualified(xdg) ? xdg : Path.Combine(home, ".cache"), "puna");
    }

    private static Uri FindEndpoint(HubOptions options, Func<string, string?> environment)
    {
        (string text, string source) = options.Endpoint is { Length: > 0 } option ? (option, "option")
            : environment("PUNA_HUB") is { Length: > 0 } own ? (own, "PUNA_HUB")
            : environment("HF_ENDPOINT") is { Length: > 0 } common ? (common, "HF_ENDPOINT")
            : (DefaultEndpoint, "default");
        if (!Uri.TryCreate(text.Trim().TrimEnd('/'), UriKind.Absolute, out Uri? endpoint)
            || (endpoint.Scheme != Uri.UriSchemeHttp && endpoint.Scheme != Uri.UriSchemeHttps)
            || endpoint.UserInfo.Length > 0 || endpoint.Query.Length > 0 || endpoint.Fragment.Length > 0)
        {
            // The value is not repeated: a password may be in it.
            throw new PunaException($"hub address: expected http(s)://host[:port][/path] without user, query or fragment, got something else ({source})");
        }

        return endpoint;
    }

    private static string? FindToken(HubOptions options, Func<string, string?> environment, string home)
    {
        if (options.Token is { } option) return CheckToken(option, "option");
        if (environment("HF_TOKEN") is { Length: > 0 } variable) return CheckToken(variable, "HF_TOKEN");
        string file = environment("HF_TOKEN_PATH") is { Length: > 0 } named ? named
            : environment("HF_HOME") is { Length: > 0 } hubHome ? Path.Combine(hubHome, "token")
            : environment("XDG_CACHE_HOME") is { Length: > 0 } caches ? Path.Combine(caches, "huggingface", "token")
            : Path.Combine(home, ".cache", "huggingface", "token");
        try
        {
            var info = new FileInfo(file);
            return info.Exists && info.Length <= 4096 ? CheckToken(File.ReadAllText(file), file) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Public models need no token; a model that does will say how to give one.
            return null;
        }
    }

    private static string? CheckToken(string text, string source)
    {
        string token = text.Trim();
        foreach (char c in token)
        {
            if (c is <= ' ' or > '~') throw new PunaException($"hub token: expected visible ASCII characters, got others ({source})");
        }

        return token.Length == 0 ? null : token;
    }

    private static bool IsOn(string? value) => value?.Trim().ToUpperInvariant() is "1" or "TRUE" or "YES" or "ON";

    private static void Require(bool fine, string what, string expected, object got)
    {
        if (!fine) throw new PunaException(FormattableString.Invariant($"hub {what}: expected {expected}, got {got}"));
    }
}
