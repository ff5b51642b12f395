using Puna.Runtime.Generation;
using Puna.Runtime.Serving;
using Puna.Tensors;

namespace Puna.Extensions.AI;

/// <summary>How an engine of a service collection is made. Bound from the section <c>Llama:Engines:NAME</c> of the configuration, where there is one.</summary>
public sealed class LlamaEngineOptions
{
    /// <summary>The model: a file or a folder, as <see cref="Puna.Models.Checkpoints.Checkpoint.Open"/> takes it.</summary>
    public string? ModelPath { get; set; }

    /// <summary>Opens the model instead of <see cref="ModelPath"/>, for example one inside an assembly; it then belongs to the engine. Not bound from the configuration.</summary>
    public Func<CpuOps, LanguageModel>? OpenModel { get; set; }

    /// <summary>Adapters beside the model's weights: the name that <c>ChatOptions.ModelId</c> asks for one by, and its folder or <c>.gguf</c> file.</summary>
    public IDictionary<string, string> Adapters { get; set; } = new Dictionary<string, string>();

    /// <summary>The name of the model in answers; null means that of its file.</summary>
    public string? ModelId { get; set; }

    /// <summary>Threads that compute; null means one per core.</summary>
    public int? Threads { get; set; }

    /// <summary>As <see cref="EngineOptions.MaxSequences"/>.</summary>
    public int MaxSequences { get; set; } = 16;

    /// <summary>As <see cref="EngineOptions.MaxBatchedTokens"/>.</summary>
    public int MaxBatchedTokens { get; set; } = 256;

    /// <summary>As <see cref="EngineOptions.CacheBytes"/>.</summary>
    public long? CacheBytes { get; set; }

    /// <summary>As <see cref="EngineOptions.QueueLimit"/>.</summary>
    public int QueueLimit { get; set; } = 512;

    /// <summary>As <see cref="EngineOptions.QueueTimeout"/>.</summary>
    public TimeSpan QueueTimeout { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>As <see cref="EngineOptions.RequestTimeout"/>.</summary>
    public TimeSpan RequestTimeout { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>How long requests may go on when the host stops.</summary>
    public TimeSpan DrainTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How the states of a text become one embedding.</summary>
    public EmbeddingPooling Pooling { get; set; } = EmbeddingPooling.Mean;

    internal EngineOptions ToEngine() => new()
    {
        MaxSequences = MaxSequences,
        MaxBatchedTokens = MaxBatchedTokens,
        CacheBytes = CacheBytes,
        QueueLimit = QueueLimit,
        KeyLimit = QueueLimit,
        QueueTimeout = QueueTimeout,
        RequestTimeout = RequestTimeout,
    };
}
