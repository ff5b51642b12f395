using Puna.Runtime.Generation;
using Puna.Runtime.Sampling;
using Puna.Tensors;
using Puna.Tests.Shared;

namespace Puna.Runtime.Tests.Generation;

public sealed class SessionFileTests : IDisposable
{
    private static readonly GenerationOptions Greedy = new() { Sampling = SamplingOptions.Greedy, MaxTokens = 20, StopIds = [] };

    private readonly string _folder = Directory.CreateTempSubdirectory("puna-session-").FullName;
    private readonly CpuOps _ops = new(2);

    public void Dispose()
    {
        _ops.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Theory]
    [InlineData("llama3-gqa", 75, DType.F32)]
    [InlineData("llama3-gqa", 75, DType.Q8_0)]
    [InlineData("llama3-gqa", 5, DType.F32)] // not one full block
    [InlineData("llama4-scout", 75, DType.F32)] // chunks of 16 tokens
    public void ATextGoesOnAsIfTheSessionHadNeverEnded(string name, int length, DType type)
    {
        using LanguageModel model = LanguageModel.Open(TestFiles.GoldenModel(name));
        int[] prompt = [.. Enumerable.Range(0, length).Select(i => (i * 37 % 300) + 3)];
        string path = Path.Combine(_folder, "text.session");
        int[] text, expected;
        using (var first = new Session(model, _ops, type))
        {
            _ = first.Generate(prompt, Greedy, TestContext.Current.CancellationToken).Count();
            text = [.. first.Tokens];
            first.Save(path);
            expected = [.. first.Generate(text, Greedy, TestContext.Current.CancellationToken).Select(static s => s.Token)];
        }

        using var second = new Session(model, _ops, type);
        second.Restore(path);
        Assert.Equal(expected, second.Generate(text, Greedy, TestContext.Current.CancellationToken).Select(static s => s.Token));
        Assert.Equal((text.Length - 1) / 32 * 32, second.ReusedTokens);
    }

    [Fact]
    public void AnythingElseIsRefusedAndChangesNothing()
    {
        using LanguageModel model = LanguageModel.Open(TestFiles.GoldenModel("llama3-gqa")), other = LanguageModel.Open(TestFiles.GoldenModel("llama31-scaled"));
        int[] prompt = [.. Enumerable.Range(0, 70).Select(i => i + 5)];
        string path = Path.Combine(_folder, "text.session");
        using var session = new Session(model, _ops);
        int[] expected = [.. session.Generate(prompt, Greedy, TestContext.Current.CancellationToken).Select(static s => s.Token)];
        session.Save(path);
        byte[] good = File.ReadAllBytes(path);
        Refused(() => new Session(other, _ops).Restore(path), "got another's");
        Refused(() => new Session(model, _ops, DType.F16).Restore(path), "got another's");
        Refused(() => session.Restore(Path.Combine(_folder, "none")), "cannot be read");
        foreach (int at in (int[])[0, 9, 20, 60, 73, 77, 100, HeadOf(good) + 3, good.Length - 1, good.Length / 2])
        {
            byte[] bad = [.. good];
            bad[at] ^= 0x40;
            File.WriteAllBytes(path, bad);
            Refused(() => session.Restore(path), "session ");
        }

        foreach (int length in (int[])[0, 10, 79, 81, good.Length / 2, good.Length - 1])
        {
            File.WriteAllBytes(path, good[..length]);
            Refused(() => session.Restore(path), "session ");
        }

        Assert.Equal(expected, session.Generate(prompt, Greedy, TestContext.Current.CancellationToken).Select(static s => s.Token));
        Assert.Single(Directory.GetFiles(_folder));
    }

    private static int HeadOf(byte[] file) => 80 + (BitConverter.ToInt32(file, 72) * 32 * 4);

    private static void Refused(Action action, string message) => Assert.Contains(message, Assert.Throws<PunaException>(action).Message, StringComparison.Ordinal);
}
