using Puna.Text.Training;

namespace Puna.Text.Tests.Training;

/// <summary>The trainers as tests call them.</summary>
internal static class Trainers
{
    public static TrainedTokenizer Pieces(ITextSource texts, SentencePieceTrainerOptions? options = null, int threads = 0) =>
        SentencePieceTrainer.Train(texts, options, threads, null, TestContext.Current.CancellationToken);

    public static TrainedTokenizer Pieces(string text, SentencePieceTrainerOptions? options = null, int threads = 0) => Pieces(new MemoryTexts(text), options, threads);

    public static TrainedTokenizer Bytes(ITextSource texts, ByteBpeTrainerOptions? options = null, int threads = 0) =>
        ByteBpeTrainer.Train(texts, options, threads, null, TestContext.Current.CancellationToken);

    public static TrainedTokenizer Bytes(string text, ByteBpeTrainerOptions? options = null, int threads = 0) => Bytes(new MemoryTexts(text), options, threads);

    /// <summary>All pieces in the order of their ids.</summary>
    public static string[] Vocabulary(TrainedTokenizer trained) => [.. Enumerable.Range(0, trained.Tokenizer.VocabularySize).Select(trained.Tokenizer.Piece)];
}
