using System.Text.Json;
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

    /// <summary>Creates the judge.</summary>
    public LlamaGuardJudge(LanguageModel language, CpuOps ops, DType? cacheType, LlamaGuardVersion? version, LlamaGuardOptions options)
    {
        _model = new SessionGuardModel(language, ops, cacheType);
        _classifier = new LlamaGuardClassifier(_model, version ?? LlamaGuardVersions.Detect(language.Llama.Config, _model.Tokenizer), options);
    }

    /// <inheritdoc/>
    public override bool Write(Utf8JsonWriter json, IReadOnlyList<ChatMessage> conversation, CancellationToken cancel)
    {
        GuardVerdict verdict = _classifier.Classify(LlamaGuardFilter.Turns(conversation), cancel);
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
