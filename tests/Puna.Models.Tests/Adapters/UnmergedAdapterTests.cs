using Puna.Formats.Safetensors;
using Puna.Models.Adapters;
using Puna.Models.Checkpoints;
using Puna.Models.Conversion;
using Puna.Tensors;
using Puna.Tests.Shared;

namespace Puna.Models.Tests.Adapters;

/// <summary>Adapters beside the weights: the logits that peft computed, and rows that do not know of one another.</summary>
public sealed class UnmergedAdapterTests : IDisposable
{
    /// <summary>goldens/README.md: float32 against float32.</summary>
    private const double Tolerance = 2e-5;

    private readonly string _folder = Directory.CreateTempSubdirectory("puna-adapter-").FullName;
    private readonly CpuOps _ops = new(2);

    public void Dispose()
    {
        _ops.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Theory]
    [InlineData("lora")]
    [InlineData("rslora")]
    [InlineData("dora")]
    public void LogitsAreThoseOfPeft(string name)
    {
        string path = TestFiles.Golden("post-training", name);
        using SafetensorsFile io = SafetensorsFile.Open(Path.Combine(path, "io.safetensors"));
        using Checkpoint checkpoint = Checkpoint.Open(TestFiles.GoldenModel("llama2-gqa"));
        UnmergedAdapter adapter = UnmergedAdapter.Open(path, checkpoint, _ops);
        float[] logits = Run(checkpoint.LoadPacked(_ops), [io.Ints("input_ids")], [adapter])[0];
        Assert.InRange(GoldenIo.MaxDifference(io.Floats("logits"), logits), 0, Tolerance);

        // In GGUF's order of rows the adapter's rows are another, and nothing else.
        string file = Path.Combine(_folder, "base.gguf");
        CheckpointConverter.Convert(checkpoint, file, new ConversionOptions { Format = CheckpointFormat.Gguf }, cancel: TestContext.Current.CancellationToken);
        using Checkpoint gguf = Checkpoint.Open(file);
        Assert.Equal(logits, Run(gguf.Load(), [io.Ints("input_ids")], [UnmergedAdapter.Open(path, gguf, _ops)])[0]);
    }

    /// <summary>Also where the output is the embedding, the model has biases or experts, and the weights are quantised: a little adapter, so that tolerances are small.</summary>
    [Theory]
    [InlineData("llama32-tied", "q_proj,v_proj,up_proj,down_proj")]
    [InlineData("llama4-scout", "self_attn.q_proj,self_attn.o_proj,shared_expert.gate_proj,shared_expert.down_proj")]
    public void LogitsAreNearlyThoseOfAnAdapterThatWasAdded(string model, string modules)
    {
        string folder = TestFiles.GoldenModel(model);
        using Checkpoint plain = Checkpoint.Open(folder), merged = Checkpoint.Open(folder);
        foreach (bool isDora in (bool[])[false, true])
        {
            string path = AdapterFiles.Write(Path.Combine(_folder, $"{model}{isDora}"), Modules(plain, modules.Split(',')), 5, 0.1f, isDora);
            using Checkpoint added = Checkpoint.Open(folder);
            added.Adapt(path);
            int[] ids = [1, 5, 9, 200, 17, 3, 250];
            float[] expected = Runner.Whole(added.Load(), ids), found = Run(plain.Load(), [ids], [UnmergedAdapter.Open(path, plain, _ops)])[0];
            Assert.InRange(GoldenIo.MaxDifference(expected, found), 0, Tolerance * expected.Max(Math.Abs));
            Assert.True(GoldenIo.MaxDifference(expected, Runner.Whole(plain.Load(), ids)) > 1e-2, "the adapter changes nothing");
        }
    }

    /// <summary>Llama 4 is published as a model that sees, so that its layers have a longer name in adapters than the text model's alone. Both at once is one too many.</summary>
    [Fact]
    public void AnAdapterOfTheWholeLlama4IsThatOfItsTextModel()
    {
        string folder = TestFiles.GoldenModel("llama4-scout");
        using Checkpoint checkpoint = Checkpoint.Open(folder);
        (string, int, int)[] modules = [.. Modules(checkpoint, ["self_attn.q_proj", "shared_expert.up_proj"])];
        string text = AdapterFiles.Write(Path.Combine(_folder, "text"), modules, 5), whole = AdapterFiles.Write(Path.Combine(_folder, "whole"), modules, 5, prefix: "language_model.model.");
        int[] ids = [1, 5, 9, 200, 17];
        float[] Logits(string adapter) => Run(checkpoint.Load(), [ids], [UnmergedAdapter.Open(adapter, checkpoint, _ops)])[0];
        Assert.Equal(Logits(text), Logits(whole));
        string both = AdapterFiles.Write(Path.Combine(_folder, "both"), [.. modules.Select(static m => ("model." + m.Item1, m.Item2, m.Item3)), .. modules.Select(static m => ("language_model.model." + m.Item1, m.Item2, m.Item3))], 5, prefix: "");
        Assert.Contains("once", Assert.ThrowsAny<PunaException>(() => UnmergedAdapter.Open(both, checkpoint, _ops)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AnEmbeddingIsAdapted()
    {
        // Written for the embedding, which is the output too: both change.
        string folder = TestFiles.GoldenModel("llama32-tied");
        using Checkpoint plain = Checkpoint.Open(folder), added = Checkpoint.Open(folder);
        string path = Path.Combine(_folder, "embedding");
        AdapterFiles.Write(path, [("embed_tokens", plain.Config.Hidden, plain.Config.Vocab)], 3, 0.1f);
        string file = Path.Combine(path, "adapter_model.safetensors");
        byte[] bytes = File.ReadAllBytes(file);
        string header = System.Text.Encoding.UTF8.GetString(bytes, 8, (int)BitConverter.ToInt64(bytes)).Replace("lora_A.weight", "lora_embedding_A", StringComparison.Ordinal).Replace("lora_B.weight", "lora_embedding_B", StringComparison.Ordinal);
        File.WriteAllBytes(file, [.. BitConverter.GetBytes((long)header.Length), .. System.Text.Encoding.UTF8.GetBytes(header), .. bytes[(8 + (int)BitConverter.ToInt64(bytes))..]]);
        added.Adapt(path);
        int[] ids = [1, 5, 9, 200, 17];
        float[] expected = Runner.Whole(added.Load(), ids);
        Assert.InRange(GoldenIo.MaxDifference(expected, Run(plain.Load(), [ids], [UnmergedAdapter.Open(path, plain, _ops)])[0]), 0, Tolerance * expected.Max(Math.Abs));
        Assert.True(GoldenIo.MaxDifference(expected, Runner.Whole(plain.Load(), ids)) > 1e-2, "the adapter changes nothing");
    }

    /// <summary>The point of it all: sequences with several adapters and without any in one pass have the bits that they have alone.</summary>
    [Theory]
    [InlineData("llama2-gqa")]
    [InlineData("llama4-scout")]
    public void EverySequenceHasTheBitsThatItHasAlone(string name)
    {
        using Checkpoint checkpoint = Checkpoint.Open(TestFiles.GoldenModel(name));
        string[] modules = name == "llama2-gqa" ? ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"] : ["q_proj", "v_proj", "shared_expert.up_proj"];
        UnmergedAdapter[] adapters = [.. Enumerable.Range(0, 3).Select(i =>
            UnmergedAdapter.Open(AdapterFiles.Write(Path.Combine(_folder, $"{i}"), Modules(checkpoint, modules), i, 0.2f, isDora: i == 1), checkpoint, _ops))];
        Llama model = checkpoint.LoadPacked(_ops);
        int[][] ids = [[1, 2, 3], [7], [1, 2, 3], [200, 100, 50, 25, 12], [1, 2, 3], [4, 5]];
        UnmergedAdapter?[] own = [adapters[0], null, adapters[1], adapters[2], null, adapters[1]];
        float[][] together = Run(model, ids, own);
        for (int s = 0; s < ids.Length; s++)
        {
            Assert.Equal(Run(model, [ids[s]], [own[s]])[0], together[s]);
        }

        Assert.Equal(Runner.Whole(model, ids[4]), together[4]);
        Assert.NotEqual(together[0], together[4]);
        Assert.NotEqual(together[0], together[2]);
    }

    [Fact]
    public void WhatCannotStandBesideTheWeightsIsRefusedByName()
    {
        using Checkpoint scout = Checkpoint.Open(TestFiles.GoldenModel("llama4-scout"));
        string router = AdapterFiles.Write(Path.Combine(_folder, "router"), Modules(scout, ["router"]).Take(1), 1);
        Assert.Contains("feed_forward.router.weight: such an adapter can only be added to the weights", Assert.Throws<PunaException>(() => UnmergedAdapter.Open(router, scout, _ops)).Message, StringComparison.Ordinal);
        using Checkpoint other = Checkpoint.Open(TestFiles.GoldenModel("llama2-gqa")), again = Checkpoint.Open(TestFiles.GoldenModel("llama2-gqa"));
        UnmergedAdapter adapter = UnmergedAdapter.Open(TestFiles.Golden("post-training", "lora"), other, _ops);
        Assert.Throws<InvalidOperationException>(() => Run(again.Load(), [[1, 2]], [adapter]));
        string saved = AdapterFiles.Write(Path.Combine(_folder, "saved"), [("layers.0.self_attn.q_proj", other.Config.Hidden, other.Config.Hidden)], 1);
        string file = Path.Combine(saved, "adapter_model.safetensors");
        File.WriteAllBytes(file, [.. File.ReadAllBytes(file)]);
        File.WriteAllText(Path.Combine(saved, "adapter_config.json"), """{"peft_type":"LORA","r":4,"lora_alpha":4,"bias":"all"}""");
        Assert.Contains("setting bias", Assert.ThrowsAny<PunaException>(() => UnmergedAdapter.Open(saved, other, _ops)).Message, StringComparison.Ordinal);
    }

    private static IEnumerable<(string Module, int Out, int In)> Modules(Checkpoint checkpoint, string[] ends) => checkpoint.Config.Parameters()
        .Select(p => (Module: TensorNames.In(CheckpointFormat.Safetensors, p.Name)[..^".weight".Length], p.Shape))
        .Where(p => p.Shape.Rank == 2 && ends.Any(e => p.Module.EndsWith("." + e, StringComparison.Ordinal)))
        .Select(static p => (p.Module["model.".Length..], (int)p.Shape[0], (int)p.Shape[1]));

    private float[][] Run(Llama model, int[][] ids, UnmergedAdapter?[] adapters)
    {
        var batch = new Batch();
        foreach (int[] sequence in ids)
        {
            batch.Add(sequence, 0, BatchOutputs.All);
        }

        var context = new ForwardContext { Adapters = new AdapterBatch().Set(batch, adapters) };
        ArenaMark mark = _ops.Mark();
        Tensor logits = model.Forward(_ops, batch, context);
        var values = new float[logits.Shape.Count];
        _ops.Read(logits, values);
        _ops.Release(mark);
        int width = model.Output.Weight.Out, at = 0;
        return [.. ids.Select(s => values[(at * width)..((at += s.Length) * width)])];
    }
}
