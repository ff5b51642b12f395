using Puna.Cli.Hosting;
using Puna.Cli.Locating;
using Puna.Cli.Parsing;
using Puna.Models.PromptGuard;
using Puna.Runtime.Filtering;
using Puna.Runtime.Generation;
using Puna.Safety.CodeScan;
using Puna.Safety.LlamaGuard;
using Puna.Safety.PromptGuard;
using Puna.Tensors;
using Puna.Text.Chat;

namespace Puna.Cli.Guarding;

/// <summary>The guards that stand before and behind a model.</summary>
internal sealed class OpenedGuard : IDisposable
{
    /// <summary>Name of the scanner for insecure code, which needs no model.</summary>
    public const string CodeName = "code";

    private readonly List<IDisposable> _open = [];
    private readonly IContentFilter _filter;

    private OpenedGuard(CommandContext context, IReadOnlyList<string> names, CpuOps ops, bool map)
    {
        try
        {
            _filter = new CombinedFilter([.. names.Select(name => Filter(context, name, ops, map))]);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary><c>--guard M</c>.</summary>
    public static Option<string?> Option() => new(
        "guard", "M", $"Let a Llama Guard or Prompt Guard judge the prompt, and a Llama Guard the reply, before it is shown; {CodeName} is the scanner for insecure code, of replies. May be given several times", null,
        static text => text.Length > 0 ? text : throw new UsageException("expected a name"))
    {
        Hint = ValueHint.Model,
        DefaultText = "none",
        IsRepeatable = true,
    };

    /// <summary>Opens the guards that were asked for; null where none was.</summary>
    /// <exception cref="PunaException">One is no guard, or cannot be opened.</exception>
    public static OpenedGuard? Open(CommandContext context, Option<string?> option, CpuOps ops, bool map) =>
        context.Args.GetAll(option) is { Count: > 0 } names ? new OpenedGuard(context, names, ops, map) : null;

    /// <summary>Throws where the last message may not pass.</summary>
    /// <exception cref="ContentRefusedException">It may not.</exception>
    public void Require(IReadOnlyList<ChatMessage> conversation, CancellationToken cancel)
    {
        ContentVerdict verdict = _filter.Check(conversation, cancel);
        if (!verdict.IsAllowed)
        {
            throw new ContentRefusedException(conversation[^1].Role == ChatRole.Assistant ? "reply" : "prompt", verdict);
        }
    }

    /// <summary>Holds a reply back until it is whole and has been judged.</summary>
    /// <param name="steps">The reply.</param>
    /// <param name="conversation">What it answers.</param>
    /// <param name="cancel">Stops the judging.</param>
    /// <exception cref="ContentRefusedException">It may not pass.</exception>
    public IEnumerable<GenerationStep> Hold(IEnumerable<GenerationStep> steps, IReadOnlyList<ChatMessage> conversation, CancellationToken cancel)
    {
        List<GenerationStep> held = [.. steps];
        Require([.. conversation, new ChatMessage(ChatRole.Assistant, string.Concat(held.Select(static s => s.Text)))], cancel);
        foreach (GenerationStep step in held)
        {
            yield return step;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        for (int i = _open.Count - 1; i >= 0; i--)
        {
            _open[i].Dispose();
        }
    }

    private IContentFilter Filter(CommandContext context, string name, CpuOps ops, bool map)
    {
        if (name == CodeName && !Path.Exists(name))
        {
            return new CodeScanFilter(CodeScanner.Default);
        }

        ModelSource source = new ModelLocator(context).Locate(name);
        if (source.Path is string path && DebertaCheckpoint.IsIn(path))
        {
            return new PromptGuardFilter(new PromptGuardClassifier(path, ops, map));
        }

        LanguageModel language = LanguageModel.Open(source.OpenCheckpoint(map), ops, cancel: context.Token);
        _open.Add(language);
        var model = new SessionGuardModel(language, ops);
        _open.Add(model);
        return new LlamaGuardFilter(new LlamaGuardClassifier(model, LlamaGuardVersions.Detect(language.Llama.Config, model.Tokenizer)));
    }
}
