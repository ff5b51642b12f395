using System.Globalization;
using Puna.Models.Checkpoints;

namespace Puna.Models.Tests;

/// <summary>
/// Every rotary scaling, from the settings of a checkpoint to logits at positions far beyond the original context, against the formulas of spec llama1-3.md 2.4 and 2.5
/// written out here in double precision.
/// </summary>
public sealed class RotaryEmbeddingTests : IDisposable
{
    /// <summary>
    /// The angle at position 127 is a float32 near 127 (as the reference has it), which is 4e-6 wrong, and the frequency 6e-8 of itself: both move logits by about 1e-5. Leaving the
    /// scaling out moves them by more than a hundred times that.
    /// </summary>
    private const double Tolerance = 4e-5;

    private const int Tokens = 128;

    private readonly string _folder = Directory.CreateTempSubdirectory("puna-rope-").FullName;

    private Checkpoint? _open;

    public void Dispose()
    {
        _open?.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Theory]
    [InlineData(8, 4)]
    [InlineData(10, 1.5)]
    public void Linear(int headDim, double factor) =>
        Check(headDim, Settings($"\"type\": \"linear\", \"factor\": {factor}"), f => f / factor);

    [Theory]
    [InlineData(16, 8, 1, 4, 32)]
    [InlineData(12, 32, 1, 4, 64)]
    [InlineData(10, 4, 2, 8, 50)]
    public void Llama3(int headDim, double factor, double low, double high, int original) =>
        Check(
            headDim,
            Settings($"\"rope_type\": \"llama3\", \"factor\": {factor}, \"low_freq_factor\": {low}, \"high_freq_factor\": {high}, \"original_max_position_embeddings\": {original}"),
            f =>
            {
                double wavelength = 2 * Math.PI / f;
                double smooth = ((original / wavelength) - low) / (high - low);
                return wavelength < original / high ? f : wavelength > original / low ? f / factor : ((1 - smooth) * f / factor) + (smooth * f);
            });

    [Theory]
    [InlineData(8, 4, 32, "", 32, 1, true, null)]
    [InlineData(12, 4, 32, ", \"truncate\": false", 32, 1, false, null)]
    [InlineData(16, 4, 32, ", \"beta_fast\": 6, \"beta_slow\": 2", 6, 2, true, null)]
    [InlineData(16, 8, 64, ", \"attention_factor\": 0.8", 32, 1, true, 0.8)]
    [InlineData(10, 8, 16, ", \"mscale\": 1.5, \"mscale_all_dim\": 0.5, \"truncate\": false", 32, 1, false, 1.1879)]
    [InlineData(10, 8, 16, ", \"mscale\": 1.5", 32, 1, true, null)]
    [InlineData(16, 0.5, 32, ", \"truncate\": false", 32, 1, false, 1.0)]
    [InlineData(16, 4, 128, null, 32, 1, true, null)]
    public void Yarn(int headDim, double factor, int original, string? more, double fast, double slow, bool truncate, double? magnitude)
    {
        // Without an original context it is max_position_embeddings, which is 128.
        string context = more is null ? "" : $", \"original_max_position_embeddings\": {original}{more}";
        double Dimension(double turns) => headDim * Math.Log(original / (2 * Math.PI * turns)) / (2 * Math.Log(TinyModel.Theta));
        double low = Math.Max(truncate ? Math.Floor(Dimension(fast)) : Dimension(fast), 0);
        double high = Math.Min(truncate ? Math.Ceiling(Dimension(slow)) : Dimension(slow), headDim - 1);
        double expected = magnitude == 1.1879 ? ((0.15 * Math.Log(8)) + 1) / ((0.05 * Math.Log(8)) + 1) : magnitude ?? (0.1 * Math.Log(factor)) + 1;
        int pair = 0;
        Check(
            headDim,
            Settings($"\"rope_type\": \"yarn\", \"factor\": {factor}{context}"),
            f =>
            {
                double ramp = Math.Clamp((pair++ - low) / (high == low ? 0.001 : high - low), 0, 1);
                return (f / factor * ramp) + (f * (1 - ramp));
            },
            expected);
    }

    [Theory]
    [InlineData(8, 2, 48)]
    [InlineData(12, 4, 100)]
    [InlineData(4, 1, 31)]
    public void DynamicTakesItsBaseFromTheWholeLength(int headDim, double factor, int context)
    {
        double theta = TinyModel.Theta * Math.Pow((factor * Tokens / context) - (factor - 1), headDim / (headDim - 2.0));
        int pair = 0;
        // The original context that some files give beside the factor does not count.
        Llama model = Check(
            headDim,
            Settings($"\"rope_type\": \"dynamic\", \"factor\": {factor}, \"original_max_position_embeddings\": 17"),
            _ => Math.Pow(theta, -2.0 * pair++ / headDim),
            context: context);
        // Within the context nothing is scaled, and each sequence of a batch has its own length.
        int[] ids = Ids(context);
        float[] shorter = Runner.Whole(model, ids);
        Assert.Equal(shorter, Runner.Ragged(model, [Ids(Tokens), ids], [Tokens, context], 2)[1]);
        Assert.Equal(Runner.Whole(model, Ids(Tokens)), Runner.Ragged(model, [ids, Ids(Tokens)], [context, Tokens], 2)[1]);
    }

    private static string Settings(FormattableString inner) => $", \"rope_scaling\": {{ {inner.ToString(CultureInfo.InvariantCulture)} }}";

    private static int[] Ids(int count) => [.. Enumerable.Range(0, count).Select(i => ((i * i) + (3 * i)) % 29)];

    private Llama Check(int headDim, string settings, Func<double, double> scale, double magnitude = 1, int context = Tokens)
    {
        TinyModel tiny = new TinyModel(24, 30, 2, 3, 1, headDim, 30) { Context = context }.Randomize(headDim);
        // Larger queries make attention sharp, so that angles count.
        foreach (string name in tiny.Tensors.Keys.Where(n => n.Contains("q_proj", StringComparison.Ordinal)))
        {
            float[] values = tiny.Tensors[name].Values;
            for (int i = 0; i < values.Length; i++)
            {
                values[i] *= 4;
            }
        }

        double[] unscaled = [.. Enumerable.Range(0, headDim / 2).Select(i => Math.Pow(TinyModel.Theta, -2.0 * i / headDim))];
        float[] expected = DenseOracle.Logits(tiny, Ids(Tokens), [.. unscaled.Select(scale)], magnitude);
        Checkpoint checkpoint = _open = Checkpoint.Open(tiny.WriteHuggingFace(_folder, more: settings));
        Llama model = checkpoint.Load();
        float[] logits = Runner.Whole(model, Ids(Tokens));
        Assert.InRange(GoldenIo.MaxDifference(expected, logits), 0, Tolerance);
        Assert.InRange(GoldenIo.MaxDifference(expected, DenseOracle.Logits(tiny, Ids(Tokens))), 100 * Tolerance, 100);
        if (context == Tokens)
        {
            Assert.Equal(logits, Runner.Chunked(model, Ids(Tokens), 7, threads: 2));
        }

        return model;
    }
}
