using Puna.Runtime.Generation;
using Puna.Runtime.Sampling;
using Puna.Tensors;

namespace Puna.Training.Recipes.Pretraining;

/// <summary>Continues texts with a checkpoint that has just been written, through the same engine and files that its users will go through.</summary>
internal static class CheckpointSampler
{
    private const int MaxTokens = 120;

    /// <summary>One continuation per prompt, greedy, so that it depends on the weights alone.</summary>
    /// <param name="ops">The device.</param>
    /// <param name="path">The checkpoint.</param>
    /// <param name="prompts">Beginnings.</param>
    /// <param name="step">Steps done.</param>
    public static IEnumerable<SampleEntry> Continue(CpuOps ops, string path, IReadOnlyList<string> prompts, long step)
    {
        using LanguageModel model = LanguageModel.Open(path, map: false, ops);
        foreach (string prompt in prompts)
        {
            using var session = new Session(model, ops);
            var options = new GenerationOptions { MaxTokens = Math.Min(MaxTokens, model.Llama.Config.ContextLength / 2), Sampling = SamplingOptions.Greedy };
            string text = string.Concat(session.Generate(model.Tokenizer!.EncodePrompt(prompt), options).Select(static s => s.Text));
            yield return new SampleEntry(step, prompt, text);
        }
    }
}
