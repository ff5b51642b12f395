using Puna.Tensors;
using Puna.Text;
using Puna.Training.Data;
using Puna.Training.Data.Altiplano;

namespace Puna.Training.Recipes.Pretraining;

/// <summary>Makes the sources that a config names.</summary>
internal static class TrainingSources
{
    /// <summary>One source.</summary>
    /// <param name="section">What the config says of it.</param>
    /// <param name="config">The whole config.</param>
    /// <param name="folder">Folder that relative paths start from.</param>
    /// <exception cref="PunaException">The section names none, or more than one.</exception>
    public static ITrainingSource Create(SourceSection section, PretrainConfig config, string folder)
    {
        if (!double.IsFinite(section.Weight) || section.Weight <= 0)
        {
            throw new PunaException(FormattableString.Invariant($"data: expected a positive weight, got {section.Weight}"));
        }

        return (section.Altiplano, section.Shards) switch
        {
            ("stories", null) => new AltiplanoSource(config.Seed, AltiplanoTexts.Stories),
            ("chats", null) => new AltiplanoSource(config.Seed, AltiplanoTexts.Chats),
            ("primers", null) => new AltiplanoSource(config.Seed, AltiplanoTexts.Primers),
            (string other, null) => throw new PunaException($"data: expected altiplano to be stories, chats or primers, got {other}"),
            (null, string shards) => new ShardSource(Path.Combine(folder, shards), config.Seed),
            _ => throw new PunaException("data: expected a source with either altiplano or shards"),
        };
    }

    private sealed class AltiplanoSource(ulong seed, AltiplanoTexts texts) : ITrainingSource
    {
        public string Name => $"Altiplano {(texts == AltiplanoTexts.Stories ? "stories" : texts == AltiplanoTexts.Chats ? "chats" : "primers")}";

        public IEnumerable<string> Texts()
        {
            for (long n = 0; ; n++)
            {
                long index = AltiplanoSplit.Index(SplitPart.Train, n);
                yield return texts switch
                {
                    AltiplanoTexts.Chats => string.Join("\n", AltiplanoChat.Create(seed, index).Messages.Select(static m => m.Content)),
                    AltiplanoTexts.Primers => Primer.Tell(seed, index),
                    _ => StoryTeller.Tell(seed, index).Text,
                };
            }
        }

        public void Dispose()
        {
        }

        public bool HasHeldOut(Tokenizer tokenizer) => true;

        public ITokenStream Open(Tokenizer tokenizer, bool heldOut) => new AltiplanoStream(tokenizer, seed, heldOut ? SplitPart.Test : SplitPart.Train, texts);
    }
}
