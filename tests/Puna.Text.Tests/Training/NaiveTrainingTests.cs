using Puna.Tests.Shared;
using Puna.Text.Training;

namespace Puna.Text.Tests.Training;

/// <summary>The incremental trainers give the vocabularies of the naive one.</summary>
public sealed class NaiveTrainingTests
{
    [Theory]
    [InlineData(ByteBpeTrainerOptions.Llama3Pattern)]
    [InlineData(ByteBpeTrainerOptions.Llama4Pattern)]
    [InlineData(@"[a-f]+|[^a-f]+")]
    public void Byte_level_vocabularies_are_those_of_the_naive_trainer(string pattern)
    {
        for (int seed = 0; seed < 15; seed++)
        {
            string text = TrainingTexts.Next(new Random(seed), 20 + (seed * 8), astral: false);
            int size = 256 + (seed % 5 == 0 ? 1000 : 10 * seed);
            TrainedTokenizer trained = Trainers.Bytes(text, new ByteBpeTrainerOptions { VocabularySize = size, Pattern = pattern, SpecialTokens = [] });
            Assert.Equal(NaiveBpe.Bytes(text, size, pattern), Trainers.Vocabulary(trained));
        }
    }

    [Fact]
    public void SentencePiece_vocabularies_are_those_of_the_naive_trainer()
    {
        for (int seed = 0; seed < 40; seed++)
        {
            var random = new Random(seed);
            string text = TrainingTexts.Next(random, 20 + (seed * 2), astral: true);
            var options = new SentencePieceTrainerOptions
            {
                ByteFallback = random.Next(2) == 0,
                SplitDigits = random.Next(2) == 0,
                SplitByScript = random.Next(3) > 0,
                SpacePieces = random.Next(2) == 0,
                MaxPieceLength = random.Next(3) == 0 ? random.Next(1, 5) : 16,
                Coverage = random.Next(3) switch { 0 => 1, 1 => 0.9995, _ => 0.9 },
                ControlSymbols = random.Next(3) == 0 ? ["<sep>"] : [],
                UserDefinedSymbols = random.Next(3) == 0 ? ["ab", "the", "中"] : [],
                VocabularySize = 450 + (seed % 8 == 0 ? 1000 : seed),
            };
            string[] vocabulary = Trainers.Vocabulary(Trainers.Pieces(text, options));
            int meta = 3 + options.ControlSymbols.Count + options.UserDefinedSymbols.Count + (options.ByteFallback ? 256 : 0);
            Assert.Equal(NaiveBpe.Pieces(text, options), vocabulary[meta..]);
        }
    }

    /// <summary>AC-13 of the specification: 200 KB, 1,000 merges.</summary>
    [Fact]
    public void A_thousand_merges_of_200_KB_are_those_of_the_naive_trainer()
    {
        string text = File.ReadAllText(TestFiles.Golden("tokenizers", "training", "train.txt"))[..200_000];
        string plane = string.Concat(text.Where(static c => !char.IsSurrogate(c)));
        TrainedTokenizer trained = Trainers.Bytes(plane, new ByteBpeTrainerOptions { VocabularySize = 1256, SpecialTokens = [] });
        Assert.Equal(NaiveBpe.Bytes(plane, 1256, ByteBpeTrainerOptions.Llama3Pattern), Trainers.Vocabulary(trained));
    }
}
