using Puna.Formats.Safetensors;
using Puna.Models;
using Puna.Models.Vision;
using Puna.Runtime.Generation;
using Puna.Runtime.Sampling;
using Puna.Tensors;
using Puna.Tests.Shared;

namespace Puna.Runtime.Tests.Generation;

/// <summary>Texts with pictures for a Llama 4, against the reference and against passes that keep nothing. A tile has four patches; local layers see chunks of 16 tokens.</summary>
public sealed class SessionEarlyFusionTests : IDisposable
{
    private const int Patch = SeeingModels.PatchToken;

    private static readonly GenerationOptions _greedy = new() { Sampling = SamplingOptions.Greedy with { LogProbs = 0 }, MaxTokens = 12, StopIds = [] };

    private readonly LanguageModel _model = LanguageModel.Open(TestFiles.GoldenModel("llama4-vision"));
    private readonly CpuOps _ops = new(2);
    private readonly TiledImage _two;
    private readonly TiledImage _one;

    public SessionEarlyFusionTests()
    {
        using SafetensorsFile io = SafetensorsFile.Open(TestFiles.Golden("llama4-vision", "io.safetensors"));
        Tensor pixels = io.GetTensor("pixel_values");
        float[] values = [.. Enumerable.Range(0, 2 * 3 * 56).SelectMany(row => pixels.Row<float>(row).ToArray())];
        _two = new TiledImage(new TileGrid(1, 1), 56, 2, values);
        _one = new TiledImage(new TileGrid(1, 1), 56, 1, [.. values.AsEnumerable().Reverse().Take(3 * 56 * 56)]);
    }

    public void Dispose()
    {
        _ops.Dispose();
        _model.Dispose();
    }

    [Fact]
    public void TheNextTokenIsAsLikelyAsTheReferenceSays()
    {
        using SafetensorsFile io = SafetensorsFile.Open(TestFiles.Golden("llama4-vision", "io.safetensors"));
        int[] ids = [.. io.GetTensor("input_ids").Row<long>(0).ToArray().Select(static id => (int)id)];
        float[] logits = io.GetTensor("logits").Row<float>(ids.Length - 1).ToArray();
        using var session = new Session(_model, _ops);
        (int token, float logProb) = Run(session, ids, [_two])[0];
        Assert.Equal(Array.IndexOf(logits, logits.Max()), token);

        // The tolerance of the goldens for logits.
        Assert.Equal(TokenLogProbs.LogProbability(logits, token), logProb, 2e-5f);
        Assert.NotEqual(logProb, Run(session, ids, [new TiledImage(_two.Grid, 56, 2, [.. _two.Pixels.Reverse()])])[0].LogProb);
    }

    [Fact]
    public void ATextThatGoesOnKeepsItsPictures()
    {
        int[] one = [.. Enumerable.Repeat(Patch, 4)], two = [.. one, .. one];
        int[] prompt = [5, 9, .. two, 17, 30];
        using var session = new Session(_model, _ops);
        (int Token, float)[] reply = Run(session, prompt, [_two]);
        Assert.Equal(Anew(prompt, [_two]), reply);
        Assert.NotEqual(Anew(prompt, []), reply);

        // Another one behind it, and both the other way round.
        int[] longer = [.. prompt, .. reply.Select(static step => step.Token), 7, .. one, 3];
        Assert.Equal(Anew(longer, [_two, _one]), Run(session, longer, [new TiledImage(_two.Grid, 56, 2, [.. _two.Pixels]), _one]));
        Assert.Equal(prompt.Length + reply.Length - 1, session.ReusedTokens);
        int[] swapped = [5, 9, .. one, 17, .. two, 3];
        Assert.Equal(Anew(swapped, [_one, _two]), Run(session, swapped, [_one, _two]));

        // The token ids of one picture and of the next are the same: what was computed for the first must not be taken for the second.
        int[] short1 = [5, 9, .. one, 17];
        Assert.Equal(Anew(short1, [_one]), Run(session, short1, [_one]));
        TiledImage other = new(_one.Grid, 56, 1, _two.Pixels[..(3 * 56 * 56)]);
        Assert.Equal(Anew(short1, [other]), Run(session, short1, [other]));
        Assert.Equal(2, session.ReusedTokens);
        Assert.Equal(Anew(short1, []), Run(session, short1, []));
        Assert.Equal(2, session.ReusedTokens);
    }

    [Fact]
    public void PassesOfAnyLengthGiveTheSame()
    {
        // More than a pass of the session, so that a picture's patches are spread over two.
        int[] prompt = [.. Enumerable.Range(0, Session.PrefillChunk - 30).Select(i => (i * 31 % 290) + 3), .. Enumerable.Repeat(Patch, 8), 4, 8];
        using var session = new Session(_model, _ops);
        GenerationOptions few = _greedy with { MaxTokens = 3 };
        (int, float)[] expected = [.. Anew(prompt, [_two]).Take(3)];
        Assert.Equal(expected, session.Generate(prompt, [_two], few, TestContext.Current.CancellationToken).Select(static step => (step.Token, step.LogProbs!.Chosen.LogProb)));
    }

    [Fact]
    public void WhatDoesNotFitIsRefusedAndTheSessionStaysUsable()
    {
        using var session = new Session(_model, _ops);
        int[] prompt = [5, .. Enumerable.Repeat(Patch, 8), 17];
        (int, float)[] reply = Run(session, prompt, [_two]);
        Assert.Equal("images: expected 12 of the patch token 312 in the prompt for 3 tiles, got 8", Refused(() => Run(session, prompt, [_two, _one])));
        Assert.Equal("images: expected 4 of the patch token 312 in the prompt for 1 tiles, got 8", Refused(() => Run(session, prompt, [_one])));
        Assert.StartsWith("image 1: expected tiles of 3 x 56 x 56 values, got 2 of side 28 with ", Refused(() => Run(session, prompt, [_two with { Side = 28 }])), StringComparison.Ordinal);
        Assert.StartsWith("image 1: expected tiles of 3 x 56 x 56 values, got 2 of side 56 with ", Refused(() => Run(session, prompt, [_two with { Pixels = _one.Pixels }])), StringComparison.Ordinal);
        Assert.Contains("expected a text without images", Refused(() => session.Save(Path.Combine(Path.GetTempPath(), Path.GetRandomFileName()))), StringComparison.Ordinal);
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        Assert.Throws<OperationCanceledException>(() => session.Generate(prompt, [new TiledImage(_two.Grid, 56, 2, new float[_two.Pixels.Length])], _greedy, cancelled.Token).ToArray());
        Assert.Equal(reply, Run(session, prompt, [_two]));
    }

    private static string Refused(Action action) => Assert.Throws<PunaException>(action).Message;

    private static (int Token, float LogProb)[] Run(Session session, int[] prompt, TiledImage[] images) =>
        [.. session.Generate(prompt, images, _greedy).Select(static step => (step.Token, step.LogProbs!.Chosen.LogProb))];

    /// <summary>The same, every token computed from the whole text, without a cache, all pictures encoded in one pass.</summary>
    private (int, float)[] Anew(int[] prompt, TiledImage[] images)
    {
        List<int> all = [.. prompt];
        int[] rows = [.. Enumerable.Range(0, prompt.Length).Where(i => prompt[i] == Patch)];
        float[] pixels = [.. images.SelectMany(static image => image.Pixels)];
        var context = new ForwardContext();
        var steps = new List<(int, float)>();
        for (int i = 0; i < _greedy.MaxTokens; i++)
        {
            ArenaMark mark = _ops.Mark();
            var batch = new Batch();
            batch.Add(all.ToArray(), 0, BatchOutputs.Last);
            context.Soft = images.Length == 0 ? null : new SoftTokens(rows, _model.Checkpoint.LoadLlama4Vision().Forward(_ops, pixels, images.Sum(static image => image.Tiles)));
            var logits = new float[_model.Llama.Output.Weight.Out];
            _ops.Read(_model.Llama.Forward(_ops, batch, context), logits);
            _ops.Release(mark);
            all.Add(Array.IndexOf(logits, logits.Max()));
            steps.Add((all[^1], TokenLogProbs.LogProbability(logits, all[^1])));
        }

        return [.. steps];
    }
}
