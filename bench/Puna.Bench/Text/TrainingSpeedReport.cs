using System.Diagnostics;
using System.Globalization;
using Puna.Text.Training;

namespace Puna.Bench.Text;

/// <summary>Megabytes of text per minute from which both trainers make a vocabulary of 32,000: <c>tokenizer-training [MB | FILE]... [--threads N]</c>.</summary>
internal static class TrainingSpeedReport
{
    private const int Size = 32_000;

    public static int Run(string[] options)
    {
        int threads = 2;
        var inputs = new List<string>();
        for (int i = 0; i < options.Length; i++)
        {
            if (options[i] == "--threads" && i + 1 < options.Length)
            {
                threads = int.Parse(options[++i], CultureInfo.InvariantCulture);
            }
            else
            {
                inputs.Add(options[i]);
            }
        }

        foreach (string input in inputs.Count == 0 ? ["100"] : inputs)
        {
            if (!int.TryParse(input, CultureInfo.InvariantCulture, out int megabytes))
            {
                Measure(input, threads);
                continue;
            }

            string path = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid()}.txt");
            try
            {
                using (FileStream file = File.Create(path))
                {
                    TrainingText.Write(file, megabytes * 1_000_000L);
                }

                Measure(path, threads);
            }
            finally
            {
                File.Delete(path);
            }
        }

        return 0;
    }

    private static void Measure(string path, int threads)
    {
        for (int round = 0; round < 2; round++)
        {
            Print("sentencepiece", path, texts => SentencePieceTrainer.Train(texts, new SentencePieceTrainerOptions { VocabularySize = Size }, threads));
            Print("byte-bpe", path, texts => ByteBpeTrainer.Train(texts, new ByteBpeTrainerOptions { VocabularySize = Size }, threads));
        }
    }

    private static void Print(string name, string path, Func<ITextSource, TrainedTokenizer> train)
    {
        using var texts = new TextFiles([path]);
        var clock = Stopwatch.StartNew();
        TrainedTokenizer trained = train(texts);
        double seconds = clock.Elapsed.TotalSeconds;
        TokenizerTrainingReport report = trained.Report;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{name,-14} {report.Bytes / 1e6,7:F1} MB  {report.DistinctWords,9} words  {report.Merges,6} merges  {report.BytesPerToken:F2} bytes/token  "
            + $"counting {report.Counting.TotalSeconds,6:F2} s  merging {report.Merging.TotalSeconds,6:F2} s  all {seconds,6:F2} s  {report.Bytes / 1e6 / seconds * 60,7:F0} MB/min  "
            + $"peak {Process.GetCurrentProcess().PeakWorkingSet64 / 1_000_000} MB"));
    }
}
