using System.Text.Json;
using Puna.Formats;
using Puna.Tensors;
using Puna.Training.Data;

namespace Puna.Training.Tests.Data;

/// <summary>An epoch has every document once, in an order that follows from seed and epoch, and any place can be gone to at once (AC-12).</summary>
public sealed class ShardStreamTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly List<TokenShard> _open = [];

    public void Dispose()
    {
        _open.ForEach(shard => shard.Dispose());
        _folder.Dispose();
    }

    [Fact]
    public void EpochsArePermutationsAcrossShards()
    {
        IReadOnlyList<TokenShard> shards = Shards(7, 0, 1, 30, 0, 12);
        var stream = new ShardStream(shards, 5);
        int[] first = Take(stream, 50), second = Take(stream, 50);
        Assert.Equal(Enumerable.Range(0, 50), first.Order());
        Assert.Equal(Enumerable.Range(0, 50), second.Order());
        Assert.NotEqual(first, second);
        Assert.NotEqual(Enumerable.Range(0, 50), first);
        Assert.Equal([.. first, .. second], Take(new ShardStream(shards, 5), 100));
        Assert.NotEqual(first, Take(new ShardStream(shards, 6), 50));
        Assert.Equal([.. Enumerable.Range(0, 50), .. Enumerable.Range(0, 50)], Take(new ShardStream(shards, 5, shuffle: false), 100));
    }

    [Fact]
    public void APlaceFarAwayIsReachedWithoutReadingOnTheWay()
    {
        IReadOnlyList<TokenShard> shards = Shards(7, 13);
        var stream = new ShardStream(shards, 5);
        Take(stream, 137);
        StreamState state = JsonSerializer.Deserialize<StreamState>(JsonSerializer.Serialize(stream.State))!;
        int[] expected = Take(stream, 30);
        var other = new ShardStream(shards, 5) { State = state };
        Assert.Equal(expected, Take(other, 30));

        // If documents on the way were read, this would not end.
        other.State = state with { Position = ((long.MaxValue / 20) - 50) * 20 };
        Assert.Equal(Enumerable.Range(0, 20), Take(other, 20).Order());
        Assert.True(other.Epoch > 1L << 50);
    }

    [Fact]
    public void TheWholeChainResumesToTheSameRows()
    {
        IReadOnlyList<TokenShard> web = Shards(40, 25), books = Shards(11);
        RowPacker New() => new(new MixtureStream([new("web", new ShardStream(web, 1)), new("books", new ShardStream(books, 2))], [0.7, 0.3], 3), 16, PackingMode.ConcatSplit);
        var expected = new TrainingBatch();
        var actual = new TrainingBatch();
        var random = new Random(4);
        for (int round = 0; round < 5; round++)
        {
            RowPacker one = New();
            for (int step = random.Next(200); step > 0; step--)
            {
                one.Fill(expected, 2);
            }

            RowPacker other = New();
            other.State = JsonSerializer.Deserialize<StreamState>(JsonSerializer.Serialize(one.State))!;
            for (int step = 0; step < 50; step++)
            {
                one.Fill(expected, 2);
                other.Fill(actual, 2);
                Assert.Equal(expected.Batch.Tokens, actual.Batch.Tokens);
                Assert.Equal(expected.Batch.Starts, actual.Batch.Starts);
                Assert.Equal(expected.TextBytes, actual.TextBytes);
            }
        }
    }

    [Fact]
    public void StatesOfOtherShardsSeedsAndTokenizersAreRefused()
    {
        IReadOnlyList<TokenShard> shards = Shards(7, 13);
        var stream = new ShardStream(shards, 5);
        Assert.Throws<PunaException>(() => stream.State = new ShardStream(shards, 6).State);
        Assert.Throws<PunaException>(() => stream.State = new ShardStream([shards[0]], 5).State);
        Assert.Throws<PunaException>(() => stream.State = stream.State with { Position = -1 });
        Assert.Throws<PunaException>(() => new ShardStream([], 1));
        Assert.Throws<PunaException>(() => new ShardStream(Shards(0), 1));
        Assert.Throws<PunaException>(() => new ShardStream([shards[0], Write("other", 1, 0, 9)], 1));
    }

    private static int[] Take(ShardStream stream, int count)
    {
        var document = new TokenDocument();
        int[] taken = new int[count];
        for (int i = 0; i < count; i++)
        {
            stream.Next(document);
            taken[i] = document.Tokens[0];
        }

        return taken;
    }

    private TokenShard[] Shards(params int[] documents)
    {
        int next = 0;
        return [.. documents.Select((count, i) =>
        {
            next += count;
            return Write($"{_open.Count}", count, next - count, 0);
        })];
    }

    /// <summary>Documents of several lengths; the first token is the document's number.</summary>
    private TokenShard Write(string name, int documents, int first, byte tokenizer)
    {
        string path = _folder.File(name);
        using (var files = new StagedFiles())
        using (var writer = new ShardWriter(files, path, [.. Enumerable.Repeat(tokenizer, 32)], 1000, "s"))
        {
            for (int d = first; d < first + documents; d++)
            {
                writer.Add([.. Enumerable.Repeat(d, 1 + (d * 7 % 23))], d);
            }

            writer.Complete();
            files.Commit();
        }

        _open.Add(TokenShard.Open(path));
        return _open[^1];
    }
}
