using System.Text.Json;
using Puna.Models.Vision;
using Puna.Runtime.Generation;
using Puna.Safety.LlamaGuard;
using Puna.Tensors;
using Puna.Text.Chat;

namespace Puna.Cli.Guarding;

/// <summary>A Llama Guard.</summary>
internal sealed class LlamaGuardJudge : GuardJudge
{
    private readonly SessionGuardModel _model;
    private readonly LlamaGuardClassifier _classifier;
    private readonly IReadOnlyList<TiledImage> _pictures;

    /// <summary>Creates the judge.</summary>
    /// <param name="language">The model.</param>
    /// <param name="ops">The device.</param>
    /// <param name="cacheType">As for <see cref="Session"/>.</param>
    /// <param name="version">Which Llama Guard it is; null finds out.</param>
    /// <param name="options">How to ask.</param>
    /// <param name="pictures">What comes with the first message of every conversation.</param>
    public LlamaGuardJudge(LanguageModel language, CpuOps ops, DType? cacheType, LlamaGuardVersion? version, LlamaGuardOptions options, IReadOnlyList<TiledImage> pictures)
    {
        _pictures = pictures;
        _model = new SessionGuardModel(language, ops, cacheType);
        _classifier = new LlamaGuardClassifier(_model, version ?? LlamaGuardVersions.Detect(language.Llama.Config, _model.Tokenizer), options);
    }

    /// <inheritdoc/>
    public override bool Write(Utf8JsonWriter json, IReadOnlyList<ChatMessage> conversation, CancellationToken cancel)
    {
        // The first turn is the user's, whoever spoke first.
        GuardMessage[] turns = [.. LlamaGuardFilter.Turns(conversation)];
        turns[0] = turns[0] with { Images = _pictures.Count };
        GuardVerdict verdict = _classifier.Classify(turns, _pictures, cancel);
        json.WriteString("verdict", verdict.State.ToString().ToLowerInvariant());
        WriteTexts(json, "categories", verdict.Categories);
        WriteTexts(json, "names", verdict.Categories.Select(code => _classifier.Categories.FirstOrDefault(c => c.Code == code)?.Name ?? "unknown"));
        WriteNumber(json, "score", verdict.Score);
        json.WriteString("output", verdict.Output);
        return verdict.IsAllowed;
    }

    /// <inheritdoc/>
    public override void Dispose() => _model.Dispose();
}
