using System.Collections.Concurrent;
using Puna.Tensors;

namespace Puna.Text.Training;

/// <summary>
/// The distinct words of texts and how often each occurs. One thread reads, the others cut and count, each in a table of its own; what is in memory at a time is a few blocks of text and
/// the distinct words. Counts are sums, so that they do not depend on the number of threads.
/// </summary>
internal sealed class WordCounts
{
    private WordCounts(WordTable words, long bytes, long texts) => (Words, Bytes, Texts) = (words, bytes, texts);

    /// <summary>The words.</summary>
    public WordTable Words { get; }

    /// <summary>Bytes of the texts.</summary>
    public long Bytes { get; }

    /// <summary>How many texts there were.</summary>
    public long Texts { get; }

    /// <summary>Reads and counts everything.</summary>
    /// <param name="source">The texts.</param>
    /// <param name="splitter">What a word is.</param>
    /// <param name="threads">Threads that count; 0 for one per core.</param>
    /// <param name="progress">Told how many bytes have been read.</param>
    /// <param name="stop">Ends it.</param>
    /// <exception cref="PunaException">A text cannot be read, or is not UTF-8.</exception>
    public static WordCounts Count(ITextSource source, WordSplitter splitter, int threads = 0, TrainingProgress? progress = null, CancellationToken stop = default)
    {
        threads = threads > 0 ? threads : Environment.ProcessorCount;
        using var failed = CancellationTokenSource.CreateLinkedTokenSource(stop);
        using var blocks = new BlockingCollection<TextBlock>(threads + 1);
        var reader = new TextBlocks(source, splitter);
        var workers = new Task<WordTable>[threads];
        for (int i = 0; i < threads; i++)
        {
            workers[i] = Task.Factory.StartNew(() => Work(blocks, splitter, failed), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        }

        try
        {
            while (reader.Next() is TextBlock block)
            {
                blocks.Add(block, failed.Token);
                progress?.Invoke("reading", reader.Bytes, null);
            }
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            // A worker failed; its exception is the one to tell.
        }
        finally
        {
            blocks.CompleteAdding();
            Task.WaitAll(workers.Select(static w => w.ContinueWith(static _ => { }, TaskScheduler.Default)).ToArray());
        }

        stop.ThrowIfCancellationRequested();
        WordTable words = workers[0].GetAwaiter().GetResult();
        foreach (Task<WordTable> worker in workers.Skip(1))
        {
            words.Add(worker.GetAwaiter().GetResult());
        }

        return new WordCounts(words, reader.Bytes, reader.Texts);
    }

    private static WordTable Work(BlockingCollection<TextBlock> blocks, WordSplitter splitter, CancellationTokenSource failed)
    {
        try
        {
            var words = new WordTable();
            foreach (TextBlock block in blocks.GetConsumingEnumerable())
            {
                if (failed.IsCancellationRequested)
                {
                    break;
                }

                foreach ((int start, int end, bool begins) in block.Parts)
                {
                    splitter.Count(block.Bytes, start, end, begins, words);
                }
            }

            return words;
        }
        catch
        {
            failed.Cancel();
            throw;
        }
    }
}
