using Puna.Formats.Images;
using Puna.Fuzz;
using Puna.Tensors;

namespace Puna.Formats.Tests;

// A short run of every fuzz target, the same each time; the long runs are those of fuzz/Puna.Fuzz.
public class FuzzTests
{
    public static TheoryData<string> Targets { get; } = [.. FuzzTargets.All.Select(target => target.Name)];

    [Theory]
    [MemberData(nameof(Targets))]
    public void TargetsSurvive(string name)
    {
        Assert.SkipUnless(name != "image-jpeg" || ImageReader.ReadsJpeg, "needs libturbojpeg");
        Assert.SkipUnless(name != "image-webp" || ImageReader.ReadsWebp, "needs libwebp");
        IFuzzTarget target = FuzzTargets.All.Single(t => t.Name == name);
        FuzzReport report = new FuzzRunner(target, seed: 7) { Watchdog = TimeSpan.FromSeconds(30) }.Run(0, 2000);
        Assert.True(report.Finding is null, $"{name} --seed 7 --only {report.Finding?.Iteration}: {report.Finding?.Problem}");
        Assert.Equal(2000, report.Inputs);
        if (target.AcceptsEverything)
        {
            Assert.Equal(2000, report.Accepted);
        }
        else
        {
            Assert.True(report.Accepted is > 0 and < 2000, $"{report.Accepted} inputs were accepted: such a run tests nothing");
        }
    }

    [Fact]
    public void TheRunnerFindsWhatItIsFor()
    {
        Assert.Contains("IndexOutOfRange", Run(_ => throw new IndexOutOfRangeException()).Finding?.Problem);
        Assert.Contains("is refused: no", Run(_ => throw new PunaException("no")).Finding?.Problem);
        Assert.Contains("allocated", Run(_ => GC.KeepAlive(new byte[100 << 20])).Finding?.Problem);
        Assert.Contains("allocated", Run(_ => new NativeStorage(100 << 20, clear: false).Dispose()).Finding?.Problem);
        Assert.Contains("took longer than", Run(_ => Thread.Sleep(5000)).Finding?.Problem);
        Assert.Null(Run(_ => { }).Finding);
        Assert.Null(Run(RefuseChanged).Finding);
        Assert.Contains("accepts everything refused: no", Run(RefuseChanged, acceptsEverything: true).Finding?.Problem);

        static void RefuseChanged(byte[] input)
        {
            if (!input.AsSpan().SequenceEqual(ActionTarget.Valid))
            {
                throw new PunaException("no");
            }
        }
    }

    [Fact]
    public void AnInputFollowsFromSeedAndNumberAlone()
    {
        var target = new ActionTarget(_ => { });
        byte[][] inputs = [.. Enumerable.Range(0, 100).Select(i => new FuzzRunner(target, 3).Input(i))];
        for (int i = 99; i >= 0; i--)
        {
            Assert.Equal(inputs[i], new FuzzRunner(target, 3).Input(i));
        }

        Assert.True(inputs.Select(Convert.ToHexString).Distinct().Count() > 90);
        Assert.NotEqual(inputs, [.. Enumerable.Range(0, 100).Select(i => new FuzzRunner(target, 4).Input(i))]);
    }

    private static FuzzReport Run(Action<byte[]> action, bool acceptsEverything = false) =>
        new FuzzRunner(new ActionTarget(action, acceptsEverything), 1) { Watchdog = TimeSpan.FromSeconds(1) }.Run(0, 10);

    private sealed class ActionTarget(Action<byte[]> action, bool acceptsEverything = false) : IFuzzTarget
    {
        public static ReadOnlySpan<byte> Valid => [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];

        public string Name => "action";

        public bool AcceptsEverything => acceptsEverything;

        public IReadOnlyList<byte[]> Corpus { get; } = [Valid.ToArray()];

        public void Run(byte[] input) => action(input);
    }
}
