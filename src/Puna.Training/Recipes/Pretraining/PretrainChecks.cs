using Puna.Models;
using Puna.Tensors;

namespace Puna.Training.Recipes.Pretraining;

/// <summary>What a run would find wrong only when it comes to it, perhaps after days, is looked for before its first step: stages, prompts, held-out documents.</summary>
internal static class PretrainChecks
{
    /// <summary>Checks that every stage to come has rows that fit its context, and that the beginnings to continue do where they are.</summary>
    /// <param name="setup">The tokenizer, and the sources where <paramref name="config"/> is its own.</param>
    /// <param name="config">Stages and prompts.</param>
    /// <param name="model">The model's config before its first stage, or that of the checkpoint that the run goes on from.</param>
    /// <param name="step">Steps done.</param>
    /// <exception cref="PunaException">Names the key that does not fit.</exception>
    public static void Require(PretrainSetup setup, PretrainConfig config, LlamaConfig model, long step = 0)
    {
        foreach ((long from, long to) in Stages(config, step))
        {
            LlamaConfig stage = PretrainSetup.ConfigAt(config, model, from).Validate($"stage from step {from}");
            int rows = PretrainSetup.RowTokensAt(config, from);
            if (rows > stage.ContextLength)
            {
                throw new PunaException($"row_tokens: expected at most the context of {stage.ContextLength} tokens, got {rows} (from step {from} on)");
            }

            // A sample of a step is made by the model of the stage that the step ends.
            long first = IsSampling(config) ? (from / config.SampleEvery * config.SampleEvery) + config.SampleEvery : long.MaxValue;
            if (first <= to || (IsSampling(config) && to == config.Steps))
            {
                RequirePrompts(setup, config, stage, Math.Min(first, config.Steps));
            }
        }
    }

    /// <summary>Checks that every source has documents for a validation, where there is to be one.</summary>
    /// <exception cref="PunaException">One has none.</exception>
    public static void RequireHeldOut(PretrainSetup setup)
    {
        if (setup.Config.ValidationRows == 0)
        {
            return;
        }

        foreach (ITrainingSource source in setup.Sources)
        {
            if (!source.HasHeldOut(setup.Tokenizer))
            {
                throw new PunaException($"validation_rows: expected 0, or documents that were held back (validation_share of the recipe data), got {setup.Config.ValidationRows} and none held back in {source.Name}");
            }
        }
    }

    /// <summary>The steps of each stage that has not ended: from one, up to another that is the first of the next stage.</summary>
    private static IEnumerable<(long From, long To)> Stages(PretrainConfig config, long step)
    {
        long from = 0;
        foreach (long next in config.Stages.Select(static s => s.FromStep).Append(config.Steps))
        {
            if (next > step)
            {
                yield return (from, next);
            }

            from = next;
        }
    }

    private static bool IsSampling(PretrainConfig config) => config.SampleEvery > 0 && config.SamplePrompts.Count > 0;

    private static void RequirePrompts(PretrainSetup setup, PretrainConfig config, LlamaConfig stage, long step)
    {
        foreach (string prompt in config.SamplePrompts)
        {
            int tokens = setup.Tokenizer.EncodePrompt(prompt).Length;
            if (tokens < 1 || tokens >= stage.TokenLimit)
            {
                string text = prompt.Length > 20 ? prompt[..20] + "..." : prompt;
                throw new PunaException($"sample_prompts: expected 1 to {stage.TokenLimit - 1} tokens, fewer than the context at step {step}, got {tokens} in '{text}'");
            }
        }
    }
}
