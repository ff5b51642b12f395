using Puna.Models;
using Puna.Models.Adapters;
using Puna.Models.Checkpoints;
using Puna.Models.Packing;
using Puna.Models.Vision;
using Puna.Tensors;
using Puna.Text;
using Puna.Text.Chat;

namespace Puna.Runtime.Generation;

/// <summary>
/// A model with its tokenizer: what is needed to make text. Immutable; any number of sessions on any threads may share it. Close it after them: one that is closed earlier
/// stays in memory until the passes under way have ended, and then its sessions refuse to go on.
/// </summary>
public sealed class LanguageModel : IDisposable
{
    private readonly Lazy<ChatDetection?> _chat;
    private readonly Lazy<ImageProcessor?> _images;
    private readonly Lock _closing = new();
    private readonly Lock _loading = new();
    private Llama4Vision? _vision;
    private int _passes;
    private bool _closed;

    private LanguageModel(Checkpoint checkpoint, Llama llama, Tokenizer? tokenizer)
    {
        (Checkpoint, Llama, Tokenizer) = (checkpoint, llama, tokenizer);
        _chat = new Lazy<ChatDetection?>(FindChat);
        _images = new Lazy<ImageProcessor?>(() => ImageProcessorConfig.For(llama.Config, checkpoint.Path));
    }

    /// <summary>Where it was loaded from.</summary>
    public Checkpoint Checkpoint { get; }

    /// <summary>The network.</summary>
    public Llama Llama { get; }

    /// <summary>The tokenizer, or null where the checkpoint brings none.</summary>
    public Tokenizer? Tokenizer { get; }

    /// <summary>What is known of the model's chat format; null where there is no tokenizer.</summary>
    /// <exception cref="PunaException">A file that should hold the template is damaged.</exception>
    public ChatDetection? Chat => _chat.Value;

    /// <summary>Makes pictures into what the model is shown of them; null where it does not see.</summary>
    /// <exception cref="PunaException">A file that should hold the settings is damaged, or is another model's.</exception>
    public ImageProcessor? Images => _images.Value;

    /// <summary>Tokens that end a text: what the checkpoint's settings name and what the tokenizer knows, together.</summary>
    public IReadOnlyList<int> StopIds => [.. Llama.Config.EosIds.Concat(Tokenizer?.StopIds ?? []).Distinct().Order()];

    /// <summary>Opens a model.</summary>
    /// <param name="path">As <see cref="Checkpoint.Open"/>.</param>
    /// <param name="map">False reads files into memory instead of mapping them.</param>
    /// <param name="ops">The device to pack the weights for (<see cref="Llama.PackFor"/>); null leaves them as they are stored, which is slow but takes no time.</param>
    /// <param name="cache">Where packed weights are kept from one start to the next; null packs each time. Needs <paramref name="map"/> and <paramref name="ops"/>.</param>
    /// <exception cref="PunaException">Names what is wrong and where.</exception>
    public static LanguageModel Open(string path, bool map = true, IOps? ops = null, PackCache? cache = null)
    {
        if (cache is not null && (ops is null || !map))
        {
            throw new ArgumentException("pack cache: expected mapped files and a device to pack for", nameof(cache));
        }

        return Open(Checkpoint.Open(path, map), ops, cache);
    }

    /// <summary>Loads an opened checkpoint, which then belongs to the result (or is closed where an exception is thrown).</summary>
    /// <param name="checkpoint">The checkpoint.</param>
    /// <param name="ops">As in <see cref="Open(string, bool, IOps?, PackCache?)"/>.</param>
    /// <param name="cache">As in <see cref="PackCache.Load"/>; null packs each time.</param>
    /// <param name="cancel">Stops reading and writing of the cache.</param>
    public static LanguageModel Open(Checkpoint checkpoint, IOps? ops = null, PackCache? cache = null, CancellationToken cancel = default)
    {
        try
        {
            Tokenizer? tokenizer = CheckpointTokenizer.Open(checkpoint);
            Llama llama = ops is null ? checkpoint.Load() : cache is null ? checkpoint.LoadPacked(ops) : cache.Load(checkpoint, ops, cancel);
            return new LanguageModel(checkpoint, llama, tokenizer);
        }
        catch
        {
            checkpoint.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_closing)
        {
            _closed = true;
            if (_passes == 0)
            {
                Checkpoint.Dispose();
            }
        }
    }

    /// <summary>Refuses an adapter of another model.</summary>
    /// <exception cref="PunaException">It is one.</exception>
    internal void CheckAdapter(UnmergedAdapter? adapter)
    {
        if (adapter is not null && !ReferenceEquals(adapter.Config, Llama.Config))
        {
            throw new PunaException($"adapter {adapter.Path}: expected one that was opened for {Checkpoint.Path}, got one of another model");
        }
    }

    /// <summary>Begins a pass, which keeps the weights in memory until <see cref="ExitPass"/>.</summary>
    /// <exception cref="ObjectDisposedException">The model is closed.</exception>
    internal void EnterPass()
    {
        lock (_closing)
        {
            ObjectDisposedException.ThrowIf(_closed, this);
            _passes++;
        }
    }

    /// <summary>Ends a pass.</summary>
    internal void ExitPass()
    {
        lock (_closing)
        {
            if (--_passes == 0 && _closed)
            {
                Checkpoint.Dispose();
            }
        }
    }

    /// <summary>The picture encoder of a Llama 4: loaded when the first picture comes, so that text alone does not pay for it.</summary>
    /// <param name="ops">The device to pack its weights for.</param>
    /// <exception cref="PunaException">The checkpoint has none, or one of another shape.</exception>
    internal Llama4Vision RequireLlama4Vision(CpuOps ops)
    {
        lock (_loading)
        {
            return _vision ??= Checkpoint.LoadLlama4Vision(ops);
        }
    }

    private ChatDetection? FindChat()
    {
        if (Tokenizer is null)
        {
            return null;
        }

        string name = Checkpoint.Gguf?.GetString("general.name") ?? Path.GetFileName(Path.TrimEndingDirectorySeparator(Checkpoint.Folder ?? Checkpoint.Path));
        return ChatFormats.Find(CheckpointTemplates.Find(Checkpoint), Tokenizer, new ChatHints(name));
    }
}
