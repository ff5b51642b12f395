using System.Globalization;
using Puna.Models.Vision;
using Puna.Tests.Shared;

namespace Puna.Models.Tests;

/// <summary>What docs/lineage.md says of the family, computed from the presets, whose own numbers are asserted in <see cref="LlamaPresetsTests"/>.</summary>
public sealed class LineageTests
{
    /// <summary>The text of a claim's row holds every number and tensor that the presets give for it.</summary>
    [Fact]
    public void TheNumbersOfTheClaimsAreThoseOfThePresets()
    {
        LlamaConfig eleven = LlamaPresets.All["llama-3.2-11b-vision-instruct"], ninety = LlamaPresets.All["llama-3.2-90b-vision"], small = LlamaPresets.All["llama-3.2-11b-vision"];
        LlamaConfig huge = LlamaPresets.All["llama-3.1-405b"], one = LlamaPresets.All["llama-3.2-1b"], seventy = LlamaPresets.All["llama-2-70b"];
        LlamaConfig scout = LlamaPresets.All["llama-4-scout"], maverick = LlamaPresets.All["llama-4-maverick"];
        MllamaConfig sees = eleven.Vision!;
        Llama4Config sixteen = scout.Llama4!, many = maverick.Llama4!;

        Claims("fuses early", [sees.CrossLayers.Count, ninety.Vision!.CrossLayers.Count], Tensor(eleven, "cross_attention_layers.7.gate_attn"), Tensor(ninety, "cross_attention_layers.19.gate_attn"));
        Claims("Perceiver resampler", [sees.TileTokens, sees.MaxTiles * sees.TileTokens], Tensor(eleven, "vision_model.vision_projection.weight"));
        const string Positions = "vision_model.vision_encoder.positional_embedding";
        Claims("224 pixels", [sees.ImageSize, small.Vision!.ImageSize, ((224 / 14) * (224 / 14)) + 1], Tensor(eleven, Positions), Shape(small, Positions));
        Claims(
            "norms after its layers",
            [huge.Layers, huge.Parameters().Count()],
            Tensor(huge, "layers.125.attention_norm.weight"), Tensor(huge, "layers.125.ffn_norm.weight"), Tensor(huge, "norm.weight"));
        Claims(
            "ties its embeddings",
            [(long)huge.Vocab * huge.Hidden, huge.ParameterCount, (huge with { TiedEmbeddings = true }).ParameterCount],
            Tensor(huge, "output.weight"));
        Claims("11 layers", [one.Layers, one.ParameterCount, (one with { Layers = 11 }).ParameterCount], Tensor(one, "layers.15.attention.wq.weight"));
        Claims(
            "top 2",
            [scout.ActiveParameterCount, (scout with { Llama4 = sixteen with { ExpertsPerToken = 2 } }).ActiveParameterCount],
            Tensor(scout, "layers.0.feed_forward.shared_expert.w1.weight"));
        Claims("272B", [sixteen.Experts, Whole(scout), scout.ParameterCount]);
        Claims("2.2T", [many.Experts, many.HasExperts.Count(static x => x), maverick.Layers, Whole(maverick), maverick.ParameterCount]);
        Claims(
            "40 query heads",
            [seventy.Heads, seventy.HeadDim, LlamaPresets.All["llama-2-13b"].Heads],
            Tensor(seventy, "layers.0.attention.wq.weight"), Tensor(seventy, "layers.0.attention.wk.weight"));
        Claims(
            "no separate vision encoder",
            [sixteen.Vision!.Layers, .. Parts(scout)],
            EncoderTensor(scout, "vision_embeddings.vision_encoder.transformer.resblocks.33.attn.wq.weight"), EncoderTensor(scout, "vision_projection.weight"));
    }

    /// <summary>What the claims say is impossible, or at least would be another number.</summary>
    [Fact]
    public void TheClaimsDoNotFitTheWeights()
    {
        Assert.NotEqual(0, LlamaPresets.All["llama-2-70b"].Hidden % 40);
        foreach (string name in (string[])["llama-3.2-11b-vision", "llama-3.2-11b-vision-instruct", "llama-3.2-90b-vision"])
        {
            // A resampler would be matrices between the encoder and the text model; there is one, from the encoder's width and its five taps' to the text model's.
            LlamaConfig config = LlamaPresets.All[name];
            (string Name, Tensors.Shape Shape) between = Assert.Single(config.Parameters(), p => p.Shape.Rank == 2 && p.Shape[0] == config.Hidden && p.Name.StartsWith("vision_model.", StringComparison.Ordinal));
            Assert.Equal(("vision_model.vision_projection.weight", 1280L * 6), (between.Name, between.Shape.Columns));
        }

        LlamaConfig huge = LlamaPresets.All["llama-3.1-405b"];
        Assert.False(huge.TiedEmbeddings);
        Assert.Equal(["attention_norm", "ffn_norm"], huge.Parameters().Where(static p => p.Name.StartsWith("layers.0.", StringComparison.Ordinal) && p.Shape.Rank == 1).Select(static p => p.Name.Split('.')[2]));
        Assert.All(LlamaPresets.All.Values.Where(static c => c.Llama4 is not null), static c => Assert.Equal(1, c.Llama4!.ExpertsPerToken));
    }

    [Fact]
    public void Llama33HasTheShapeOfLlama31()
    {
        LlamaConfig before = LlamaPresets.All["llama-3.1-70b"], after = LlamaPresets.All["llama-3.3-70b"];
        Assert.Equal(before.EosIds, after.EosIds);
        Assert.Equal(before, after with { Name = before.Name, EosIds = before.EosIds });
    }

    private static void Claims(string claim, long[] numbers, params string[] tensors)
    {
        string row = Assert.Single(File.ReadLines(Path.Combine(TestFiles.Root, "docs", "lineage.md")), l => l.StartsWith("| ", StringComparison.Ordinal) && l.Split('|')[1].Contains(claim, StringComparison.Ordinal));
        string said = string.Join('|', row.Split('|')[2..]);
        foreach (long number in numbers)
        {
            string written = number.ToString("N0", CultureInfo.InvariantCulture);
            Assert.Matches($@"(?<![\d,]){written}(?![\d]|,\d)", said);
        }

        foreach (string tensor in tensors)
        {
            Assert.Contains(tensor, said, StringComparison.Ordinal);
        }
    }

    private static string Tensor(LlamaConfig config, string name) => $"`{name}` {Shape(config, name)}";

    private static string Shape(LlamaConfig config, string name) => config.Parameters().Single(p => p.Name == name).Shape.ToString();

    private static string EncoderTensor(LlamaConfig config, string name) => $"`{name}` {config.Llama4!.Vision!.Parameters(config.Hidden).Single(p => p.Name == name).Shape}";

    private static long Whole(LlamaConfig config) => config.ParameterCount + Parts(config).Sum();

    /// <summary>Parameters of encoder, adapter and projection.</summary>
    private static long[] Parts(LlamaConfig config)
    {
        Llama4VisionConfig vision = config.Llama4!.Vision!;
        return [.. ((string[])["vision_embeddings.vision_encoder.", "vision_embeddings.vision_adapter.", "vision_projection."]).Select(
            prefix => vision.Parameters(config.Hidden).Where(p => p.Name.StartsWith(prefix, StringComparison.Ordinal)).Sum(static p => p.Shape.Count))];
    }
}
