using Puna.Formats.Safetensors;
using Puna.Models.PromptGuard;
using Puna.Tensors;
using Puna.Tensors.Kernels.Cpu;
using Puna.Tests.Shared;

namespace Puna.Models.Tests.PromptGuard;

/// <summary>Prompt Guard's encoder against the reference implementation (golden <c>prompt-guard</c>).</summary>
public sealed class DebertaClassifierTests
{
    // The tolerance of the goldens: a float64 implementation is within 2e-6, tanh instead of erf is off by 4e-5.
    private const double Tolerance = 2e-5;

    [Theory]
    [InlineData("short")]
    [InlineData("long")]
    public void StatesAndLogitsAreThoseOfTheReference(string text)
    {
        string folder = TestFiles.GoldenModel("prompt-guard");
        using SafetensorsFile io = SafetensorsFile.Open(Path.Combine(folder, "io.safetensors"));
        using var ops = new CpuOps(2);
        using DebertaCheckpoint checkpoint = DebertaCheckpoint.Open(folder);
        var states = new List<float>();
        var batch = new Batch();
        batch.Add(io.Ints(text + ".input_ids"), 0, BatchOutputs.None);
        Tensor logits = checkpoint.LoadPacked(ops).Forward(ops, batch, x => states.AddRange(Read(ops, x)));
        Assert.InRange(GoldenIo.MaxDifference(io.Floats(text + ".logits"), Read(ops, logits)), 0, Tolerance);
        Assert.InRange(GoldenIo.MaxDifference(io.Floats(text + ".hidden_states"), [.. states]), 0, Tolerance);
    }

    [Fact]
    public void ATextGivesTheSameBitsAloneAndAmongOthersOnEveryPath()
    {
        string folder = TestFiles.GoldenModel("prompt-guard");
        using SafetensorsFile io = SafetensorsFile.Open(Path.Combine(folder, "io.safetensors"));
        int[][] texts = [io.Ints("long.input_ids"), io.Ints("short.input_ids"), [1, 2], [1, 5, 6, 7, 8, 9, 10, 2], io.Ints("long.input_ids")[..33]];
        float[]? all = null;
        foreach (CpuPath path in Enum.GetValues<CpuPath>())
        {
            foreach (int threads in new[] { 1, 3 })
            {
                using var ops = new CpuOps(threads, path);
                using DebertaCheckpoint checkpoint = DebertaCheckpoint.Open(folder, map: threads == 1);
                DebertaClassifier model = checkpoint.LoadPacked(ops);
                float[] together = Logits(ops, model, texts);
                Assert.Equal(all ??= together, together);
                for (int i = 0; i < texts.Length; i++)
                {
                    Assert.Equal(together[(i * 2)..((i * 2) + 2)], Logits(ops, model, texts[i]));
                }
            }
        }
    }

    [Fact]
    public void ATokenOutsideTheVocabularyIsRefused()
    {
        using var ops = new CpuOps(1);
        using DebertaCheckpoint checkpoint = DebertaCheckpoint.Open(TestFiles.GoldenModel("prompt-guard"));
        DebertaClassifier model = checkpoint.LoadPacked(ops);
        Assert.Contains("expected 0 to 399, got 400", Assert.Throws<PunaException>(() => Logits(ops, model, [1, 400, 2])).Message, StringComparison.Ordinal);
        Assert.Contains("expected at most 32768 tokens", Assert.Throws<PunaException>(() => Logits(ops, model, new int[32769])).Message, StringComparison.Ordinal);
    }

    private static float[] Logits(CpuOps ops, DebertaClassifier model, params int[][] texts)
    {
        var batch = new Batch();
        foreach (int[] text in texts)
        {
            batch.Add(text, 0, BatchOutputs.None);
        }

        ArenaMark mark = ops.Mark();
        float[] logits = Read(ops, model.Forward(ops, batch));
        ops.Release(mark);
        return logits;
    }

    private static float[] Read(CpuOps ops, Tensor x)
    {
        var values = new float[x.Shape.Count];
        ops.Read(x, values);
        return values;
    }
}
