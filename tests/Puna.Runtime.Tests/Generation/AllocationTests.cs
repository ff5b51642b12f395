using Puna.Models.Checkpoints;
using Puna.Models.Conversion;
using Puna.Models.Quantization;
using Puna.Runtime.Generation;
using Puna.Runtime.Sampling;
using Puna.Tensors;
using Puna.Tests.Shared;

namespace Puna.Runtime.Tests.Generation;

/// <summary>Generating a token with packed quantised weights allocates nothing on the managed heap: embedding, every layer, attention over the cache, output and sampler.</summary>
public sealed class AllocationTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("puna-allocation-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(FileType.Q4_0, 1)]
    [InlineData(FileType.Q4_0, 2)]
    [InlineData(FileType.Q4_K_S, 1)]
    [InlineData(FileType.Q4_K_M, 2)] // with Q6_K
    [InlineData(FileType.Q8_0, 1)]
    public void ATokenAllocatesNothing(FileType type, int threads)
    {
        // Without a tokenizer, as the text of a token is a string. One thread does everything on this one, whose allocations are counted.
        string model = WithoutTokenizer(type);
        using var ops = new CpuOps(threads);
        using LanguageModel language = LanguageModel.Open(model, ops: ops);
        Assert.Null(language.Tokenizer);
        Assert.All(language.Llama.Blocks, block => Assert.NotNull(block.FeedForward.W2.Weight.Packed));
        using var session = new Session(language, ops);

        // The first text makes what the second uses again: scratch memory, blocks of the cache, the list of tokens. 300 tokens reach beyond a span of 256 keys.
        Assert.NotEqual(0, Allocated(session, 300));
        Assert.Equal(0, Allocated(session, 300));
    }

    /// <summary>Bytes that the tokens after the fifth take.</summary>
    private static long Allocated(Session session, int tokens)
    {
        var sampling = new SamplingOptions { Temperature = 0.8, TopK = 40, TopP = 0.9, Seed = 3 };
        long before = 0;
        int count = 0;
        foreach (GenerationStep step in session.Generate([1, 7, 4], new GenerationOptions { Sampling = sampling, MaxTokens = tokens, StopIds = [] }, TestContext.Current.CancellationToken))
        {
            if (++count == 5)
            {
                before = GC.GetAllocatedBytesForCurrentThread();
            }
        }

        long bytes = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.Equal(tokens, count);
        return bytes;
    }

    private string WithoutTokenizer(FileType type)
    {
        string weights = Path.Combine(_folder, "weights");
        using (Checkpoint source = Checkpoint.Open(TestFiles.TrainedTiny))
        {
            CheckpointConverter.Convert(source, weights, new ConversionOptions { Format = CheckpointFormat.Safetensors, Type = FileType.BF16 });
        }

        foreach (string file in Directory.GetFiles(weights, "tokenizer*"))
        {
            File.Delete(file);
        }

        string to = Path.Combine(_folder, "model.gguf");
        using Checkpoint plain = Checkpoint.Open(weights);
        CheckpointConverter.Convert(plain, to, new ConversionOptions { Format = CheckpointFormat.Gguf, Type = type });
        return to;
    }
}
