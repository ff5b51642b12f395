namespace Puna.Server;

/// <summary>How a server works.</summary>
public sealed record PunaServerOptions
{
    /// <summary>The address to listen on.</summary>
    public string Host { get; init; } = "127.0.0.1";

    /// <summary>The port; 0 takes any free one.</summary>
    public int Port { get; init; } = 8080;

    /// <summary>Keys, one of which every request must bring, except to <c>/</c> and <c>/health</c>; none lets everybody in.</summary>
    public IReadOnlyList<string> ApiKeys { get; init; } = [];

    /// <summary>Allows to listen beyond this machine without a key.</summary>
    public bool IsInsecure { get; init; }

    /// <summary>Names beside those of this machine that a request may have for the server, where it listens on this machine only and has no key: pages of other sites must not reach it by a name of
    /// their own (DNS rebinding).</summary>
    public IReadOnlyList<string> AllowedHosts { get; init; } = [];

    /// <summary>
    /// Origins of pages of other sites that may use the server, for example <c>https://chat.example</c>: they are told so (CORS). Without a key, what pages of any other origin send is refused
    /// where it would start work.
    /// </summary>
    public IReadOnlyList<string> AllowedOrigins { get; init; } = [];

    /// <summary>Most bytes of a body; null means 32 MiB, or 64 MiB where the model sees pictures.</summary>
    public long? MaxBodyBytes { get; init; }

    /// <summary>What names of metrics begin with.</summary>
    public string MetricsPrefix { get; init; } = "vllm";

    /// <summary>Where traces and metrics are sent (OTLP), for example <c>http://localhost:4317</c>; null sends them where OpenTelemetry's environment variables say, and nowhere without those.</summary>
    public string? OtlpEndpoint { get; init; }

    /// <summary>How they are sent: <c>grpc</c> or <c>http/protobuf</c>; null is what the environment says, or grpc.</summary>
    public string? OtlpProtocol { get; init; }

    /// <summary>
    /// Whether traces tell what is said in conversations, messages and replies: personal data. Null is what <c>OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT</c> says, and no without it.
    /// </summary>
    public bool? CapturesContent { get; init; }

    /// <summary>How long requests may go on when the server ends.</summary>
    public TimeSpan DrainTimeout { get; init; } = TimeSpan.FromSeconds(15);
}
