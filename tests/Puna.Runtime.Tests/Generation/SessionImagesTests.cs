using Puna.Formats.Safetensors;
using Puna.Models;
using Puna.Models.Vision;
using Puna.Runtime.Generation;
using Puna.Runtime.Sampling;
using Puna.Tensors;
using Puna.Tests.Shared;

namespace Puna.Runtime.Tests.Generation;

/// <summary>Texts with images, against passes that keep nothing. The golden model's image token is 320, the first beyond its vocabulary.</summary>
public sealed class SessionImagesTests : IDisposable
{
    private const int ImageToken = 320;

    private static readonly GenerationOptions _greedy = new() { Sampling = SamplingOptions.Greedy with { LogProbs = 0 }, MaxTokens = 12, StopIds = [] };

    private readonly LanguageModel _model = LanguageModel.Open(TestFiles.GoldenModel("llama32-vision"));
    private readonly CpuOps _ops = new(2);
    private readonly TiledImage _wide;
    private readonly TiledImage _tall;

    public SessionImagesTests()
    {
        using SafetensorsFile io = SafetensorsFile.Open(TestFiles.Golden("llama32-vision", "io.safetensors"));
        Tensor pixels = io.GetTensor("pixel_values");
        var values = new List<float>();
        for (int row = 0; row < 3 * 3 * 28; row++)
        {
            values.AddRange(pixels.Row<float>(row));
        }

        _wide = new TiledImage(new TileGrid(1, 3), 28, 3, [.. values]);
        _tall = new TiledImage(new TileGrid(2, 1), 28, 2, [.. values.AsEnumerable().Reverse().Take(2 * 3 * 28 * 28)]);
    }

    public void Dispose()
    {
        _ops.Dispose();
        _model.Dispose();
    }

    [Fact]
    public void AReplySeesTheImagesOfItsPrompt()
    {
        int[] prompt = [5, 9, ImageToken, 17, 30, 44], two = [.. prompt, ImageToken, ImageToken, 3];
        using var session = new Session(_model, _ops);
        (int, float)[] first = Run(session, prompt, [_wide]);
        Assert.Equal(Anew(prompt, [_wide]), first);
        Assert.NotEqual(Anew(prompt, [_tall]), first);
        Assert.NotEqual(Anew(prompt, []), first);

        // Several images, with another one between; what stands before the first change is not computed again.
        Assert.Equal(Anew(two, [_wide, _tall, _wide]), Run(session, two, [_wide, _tall, _wide]));
        Assert.Equal(prompt.Length, session.ReusedTokens);
        Assert.Equal(Anew(two, [_wide, _wide, _tall]), Run(session, two, [_wide, _wide, _tall]));
        Assert.Equal(prompt.Length, session.ReusedTokens);
        Assert.Equal(Anew(two, [_tall, _wide, _tall]), Run(session, two, [_tall, _wide, _tall]));
        Assert.Equal(2, session.ReusedTokens);
    }

    [Fact]
    public void ATextThatGoesOnKeepsItsImages()
    {
        int[] prompt = [5, ImageToken, 17];
        using var session = new Session(_model, _ops);
        (int Token, float)[] reply = Run(session, prompt, [_wide]);
        long bytes = session.CacheBytes;
        int[] longer = [.. prompt, .. reply.Select(static step => step.Token), 8, 21];
        Assert.Equal(Anew(longer, [_wide]), Run(session, longer, [new TiledImage(_wide.Grid, 28, 3, [.. _wide.Pixels])]));

        // The last token of the reply was never an input.
        Assert.Equal(prompt.Length + reply.Length - 1, session.ReusedTokens);
        Assert.InRange(bytes, 3 * 17 * 2 * 16 * 4 * 2, long.MaxValue);

        // The same image at another place.
        int[] moved = [5, 6, ImageToken, 17];
        Assert.Equal(Anew(moved, [_wide]), Run(session, moved, [_wide]));
        Assert.Equal(1, session.ReusedTokens);

        // Text alone afterwards, and an image again.
        Assert.Equal(Anew(moved, []), Run(session, moved, []));
        Assert.Equal(2, session.ReusedTokens);
        Assert.Equal(Anew(moved, [_tall]), Run(session, moved, [_tall]));
    }

    [Fact]
    public void WhatDoesNotFitIsRefusedAndTheSessionStaysUsable()
    {
        using var session = new Session(_model, _ops);
        int[] prompt = [5, ImageToken, 17];
        (int, float)[] reply = Run(session, prompt, [_wide]);
        Assert.Equal("images: expected one for each of the 1 image tokens of the prompt, got 2", Refused(() => Run(session, prompt, [_wide, _tall])));
        Assert.Equal("images: expected one for each of the 0 image tokens of the prompt, got 1", Refused(() => Run(session, [5, 6], [_wide])));
        Assert.StartsWith("image: expected tiles in one of the layouts 1x1, 1x2, ", Refused(() => Run(session, prompt, [_wide with { Grid = new TileGrid(3, 2) }])), StringComparison.Ordinal);
        Assert.StartsWith("image: expected 3 to 4 tiles of 3 x 28 x 28 values, got ", Refused(() => Run(session, prompt, [_wide with { Pixels = _tall.Pixels }])), StringComparison.Ordinal);
        Assert.Contains("expected a text without images", Refused(() => session.Save(Path.Combine(Path.GetTempPath(), Path.GetRandomFileName()))), StringComparison.Ordinal);
        Assert.Equal(reply, Run(session, prompt, [_wide]));
        using LanguageModel blind = LanguageModel.Open(TestFiles.GoldenModel("llama2-gqa"));
        using var other = new Session(blind, _ops);
        Assert.Equal("images: expected a model that sees them, got llama", Refused(() => Run(other, [5], [_wide])));
    }

    private static string Refused(Action action) => Assert.Throws<PunaException>(action).Message;

    /// <summary>The greedy continuation, and how likely each token was: that differs where an image does, also where the tokens do not.</summary>
    private static (int Token, float LogProb)[] Run(Session session, int[] prompt, TiledImage[] images) =>
        [.. session.Generate(prompt, images, _greedy).Select(static step => (step.Token, step.LogProbs!.Chosen.LogProb))];

    /// <summary>The same, every token computed from the whole text, without a cache of text.</summary>
    private (int, float)[] Anew(int[] prompt, TiledImage[] images)
    {
        MllamaConfig config = _model.Llama.Config.Vision!;
        MllamaImage[] seen = [.. images.Select(image => MllamaImage.Of(config, image.Pixels, image.Grid.Rows, image.Grid.Columns))];
        using CrossStates? states = seen.Length == 0 ? null : CrossStates.Compute(_model.Llama, _ops, seen, CrossMask.Of(prompt, ImageToken, [.. seen.Select(static image => image.IsUsed)], 4));
        List<int> all = [.. prompt];
        var steps = new List<(int, float)>();
        for (int i = 0; i < _greedy.MaxTokens; i++)
        {
            ArenaMark mark = _ops.Mark();
            var batch = new Batch();
            batch.Add(all.ToArray(), 0, BatchOutputs.Last);
            var logits = new float[_model.Llama.Output.Weight.Out];
            _ops.Read(_model.Llama.Forward(_ops, batch, new ForwardContext(), null, [states]), logits);
            _ops.Release(mark);
            all.Add(Array.IndexOf(logits, logits.Max()));
            steps.Add((all[^1], TokenLogProbs.LogProbability(logits, all[^1])));
        }

        return [.. steps];
    }
}
