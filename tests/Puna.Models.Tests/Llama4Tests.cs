using System.Text.Json;
using Puna.Formats.Safetensors;
using Puna.Models.Checkpoints;
using Puna.Models.Quantization;
using Puna.Models.Tests.Conversion;
using Puna.Tensors;
using Puna.Tests.Shared;

namespace Puna.Models.Tests;

/// <summary>What the goldens of <see cref="LlamaGoldenTests"/> do not show of Llama 4 (spec llama4.md 1 and 12).</summary>
public sealed class Llama4Tests : IDisposable
{
    private const double Tolerance = 2e-5; // goldens/README.md

    private readonly ConversionFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void AGgufFileMatchesTheReference()
    {
        using SafetensorsFile io = SafetensorsFile.Open(TestFiles.Golden("gguf-llama4", "io.safetensors"));
        using Checkpoint checkpoint = Checkpoint.Open(TestFiles.Golden("gguf-llama4", "f32.gguf"));
        int[] ids = io.Ints("input_ids");
        Llama model = checkpoint.Load();
        float[] logits = Runner.Whole(model, ids);
        Assert.InRange(GoldenIo.MaxDifference(io.Floats("logits"), logits), 0, Tolerance);
        Assert.Equal(logits, Runner.Chunked(model, ids, 1));

        // What the file cannot say is that of the releases.
        Llama4Config four = checkpoint.Config.Llama4!;
        Assert.Equal((8192, true, 8192.0, 0.1, true), (four.ChunkSize, four.Temperature, four.FloorScale, four.AttentionScale, four.QkNorm));
    }

    /// <summary>Chunks of 300 reach over spans of 256 keys and end inside tiles of 32, chunks of 16 and 40 within them.</summary>
    [Theory]
    [InlineData(300)]
    [InlineData(40)]
    [InlineData(16)]
    public void SeveralChunksGiveTheSameBitsHoweverTheyAreRun(int chunk)
    {
        Llama model = WithChunk(chunk);
        int[] ids = [.. Enumerable.Range(0, 700).Select(i => (i * 37 % 311) + 1)];
        float[] whole = Runner.Whole(model, ids, threads: 1);
        Assert.Equal(whole, Runner.Whole(model, ids, threads: 3));
        Assert.Equal(whole, Runner.Chunked(model, ids, 1, threads: 2));
        Assert.Equal(whole, Runner.Chunked(model, ids, 7));
        Assert.Equal(whole, Runner.Chunked(model, ids, 512, threads: 2));
        float[][] ragged = Runner.Ragged(model, [ids, [.. ids.Reverse()], ids[..333]], [64, 700, 1], 2);
        Assert.Equal(whole, ragged[0]);
        Assert.Equal(Runner.Whole(model, [.. ids.Reverse()]), ragged[1]);
        Assert.Equal(whole.AsSpan(0, ragged[2].Length).ToArray(), ragged[2]);
    }

    [Fact]
    public void LocalLayersKeepOneChunk()
    {
        Llama model = WithChunk(64);
        using var ops = new CpuOps(1);
        using KvCache cache = model.CreateCache();
        using KvSequence sequence = cache.CreateSequence();
        var batch = new Batch();
        var context = new ForwardContext();
        for (int at = 0; at < 1024; at += 32)
        {
            batch.Clear();
            batch.Add([.. Enumerable.Range(at, 32).Select(i => i % 320)], at, BatchOutputs.Last);
            ArenaMark mark = ops.Mark();
            model.Forward(ops, batch, context, [sequence]);
            ops.Release(mark);
        }

        // One global layer has 1024 tokens, three local ones never more than 64: keys and values of 2 heads of 8 float32.
        Assert.Equal((1024 + (3 * 64)) * 2 * 2 * 8 * sizeof(float), cache.ByteLength);
    }

    [Theory]
    [InlineData(500, 500)]
    [InlineData(450, 450)]
    [InlineData(449, 449)]
    [InlineData(447, 384)]
    [InlineData(70, 64)]
    [InlineData(10, 0)]
    public void WhatComesBehindARestorableLengthHasTheSameBits(int length, int restorable)
    {
        // Chunks of 64; 511 tokens are in the eighth, which began with token 448: what was before is forgotten.
        Llama model = WithChunk(64);
        int[] ids = [.. Enumerable.Range(0, 511).Select(i => (i * 41 % 311) + 1)];
        float[] whole = Runner.Whole(model, ids);
        using var ops = new CpuOps(1);
        using KvCache cache = model.CreateCache();
        using KvSequence sequence = cache.CreateSequence();
        Run(0, ids.Length);
        Assert.Equal(restorable, sequence.Restorable(length));
        if (restorable != length)
        {
            Assert.Throws<InvalidOperationException>(() => sequence.Truncate(length));
        }

        sequence.Truncate(restorable);
        float[] again = Run(restorable, ids.Length);
        Assert.Equal(whole.AsSpan(restorable * 320).ToArray(), again);

        float[] Run(int first, int end)
        {
            var batch = new Batch();
            batch.Add(ids.AsSpan(first, end - first), first, BatchOutputs.All);
            ArenaMark mark = ops.Mark();
            Tensor logits = model.Forward(ops, batch, new ForwardContext(), [sequence]);
            var values = new float[logits.Shape.Count];
            ops.Read(logits, values);
            ops.Release(mark);
            return values;
        }
    }

    [Fact]
    public void AModelThatSeesTooLoadsAsATextModel()
    {
        // The same weights as a text model alone, under its names.
        string folder = TestFiles.GoldenModel("llama4-vision");
        using SafetensorsFile all = SafetensorsFile.Open(Path.Combine(folder, "model.safetensors"));
        string text = Directory.CreateDirectory(_folder.At("text")).FullName;
        using JsonDocument config = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "config.json")));
        File.WriteAllText(Path.Combine(text, "config.json"), config.RootElement.GetProperty("text_config").GetRawText());
        const string Prefix = "language_model.";
        using (var writer = new SafetensorsWriter(Path.Combine(text, "model.safetensors")))
        {
            string[] names = [.. all.Tensors.Select(t => t.Name).Where(n => n.StartsWith(Prefix, StringComparison.Ordinal))];
            foreach (string name in names)
            {
                Tensor tensor = all.GetTensor(name);
                writer.Declare(name[Prefix.Length..], tensor.DType, tensor.Shape);
            }

            writer.Begin();
            foreach (string name in names)
            {
                writer.WriteTensor(all.GetTensor(name));
            }

            writer.Complete();
        }

        Assert.Equal(ConversionFolder.Logits(text), ConversionFolder.Logits(folder));
        ConversionFolder.AssertSameTensors(text, folder);
    }

    [Theory]
    [InlineData("llama4-scout")]
    [InlineData("llama4-maverick")]
    public void ConversionsKeepEveryBit(string name)
    {
        string source = TestFiles.GoldenModel(name);
        string gguf = _folder.Convert(source, "model.gguf");
        string back = _folder.Convert(gguf, "back");
        ConversionFolder.AssertSameTensors(source, gguf);
        ConversionFolder.AssertSameTensors(source, back);
        using SafetensorsFile io = SafetensorsFile.Open(Path.Combine(source, "io.safetensors"));
        int[] ids = io.Ints("input_ids");
        using Checkpoint a = Checkpoint.Open(source);
        float[] logits = Runner.Whole(a.Load(), ids);
        foreach (string path in new[] { gguf, back })
        {
            using Checkpoint b = Checkpoint.Open(path);
            Assert.Equal(logits, Runner.Whole(b.Load(), ids));
        }

        // The stacks themselves, with their names and order.
        using SafetensorsFile before = SafetensorsFile.Open(Path.Combine(source, "model.safetensors"));
        using SafetensorsFile after = SafetensorsFile.Open(Path.Combine(back, "model.safetensors"));
        Assert.Equal(before.Tensors.Select(static t => (t.Name, t.Shape)).Order(), after.Tensors.Select(static t => (t.Name, t.Shape)).Order());
        foreach (string stack in before.Tensors.Select(static t => t.Name))
        {
            Assert.Equal(before.Floats(stack), after.Floats(stack));
        }
    }

    [Theory]
    [InlineData("llama4-scout", 1)]
    [InlineData("llama4-scout", 2)]
    [InlineData("llama4-maverick", 2)]
    [InlineData("llama4-maverick", 4)]
    public void MetasPartsGiveTheSameBits(string name, int parts)
    {
        string source = TestFiles.GoldenModel(name);
        string meta = _folder.At("meta");
        using Checkpoint a = Checkpoint.Open(source);
        MetaLlama4Files.Write(a, meta, parts);
        using Checkpoint b = Checkpoint.Open(meta);
        ConversionFolder.AssertSameTensors(source, meta);
        using SafetensorsFile io = SafetensorsFile.Open(Path.Combine(source, "io.safetensors"));
        int[] ids = io.Ints("input_ids");
        Assert.Equal(Runner.Whole(a.Load(), ids), Runner.Whole(b.Load(), ids));
        using var ops = new CpuOps(2);
        Assert.Equal(Runner.Whole(a.Load(), ids), Runner.Whole(b.LoadPacked(ops), ids));
    }

    [Theory]
    [InlineData(null)]
    [InlineData(FileType.Q8_0)]
    public void ExpertsThatStayInTheFileGiveTheSameBits(FileType? type)
    {
        string gguf = _folder.Convert(TestFiles.GoldenModel("llama4-maverick"), "model.gguf", type);
        using Checkpoint checkpoint = Checkpoint.Open(gguf);
        using var ops = new CpuOps(2);
        int[] ids = [.. Enumerable.Range(0, 90).Select(i => (i * 37 % 311) + 1)];
        Llama mapped = checkpoint.LoadPacked(ops, mapExperts: true);
        Llama packed = checkpoint.LoadPacked(ops, mapExperts: false);
        MixtureOfExperts experts = mapped.Blocks[1].Experts!;
        Assert.All(experts.Experts, static e => Assert.True(e.W1.Weight.Packed is null && e.W1.Weight.Master.Storage is MemoryMappedStorage));
        Assert.NotNull(experts.Shared.W1.Weight.Packed);
        Assert.All(packed.Blocks[1].Experts!.Experts, static e => Assert.NotNull(e.W2.Weight.Packed));
        float[] logits = Runner.Whole(packed, ids);
        Assert.Equal(logits, Runner.Whole(mapped, ids));
        Assert.Equal(logits, Runner.Chunked(mapped, ids, 1));
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(8190, 1)]
    [InlineData(8191, 1.0693147)]
    [InlineData(16383, 1.1098612)]
    [InlineData(65535, 1.2197225)]
    [InlineData(10485759, 1.7155396)]
    public void TemperatureIsThatOfTheSpecification(int position, double expected) =>
        Assert.Equal(expected, LlamaPresets.All["llama-4-scout"].Llama4!.TemperatureAt(position), 1e-7);

    /// <summary>Spec llama4.md 3.4 and 11: a step at a wavelength of 8192.</summary>
    [Theory]
    [InlineData("llama-4-scout", 34, 0.0009384738703573802)]
    [InlineData("llama-4-scout", 35, 4.7781061769823416e-05)]
    [InlineData("llama-4-scout", 63, 1.5344629944572555e-07)]
    [InlineData("llama-4-maverick", 35, 0.0007644969883171747)]
    [InlineData("llama-4-maverick", 63, 2.455140791131609e-06)]
    public void FrequenciesAreThoseOfTheSpecification(string name, int index, double expected)
    {
        var frequencies = new float[64];
        RotaryFrequencies.Compute(LlamaPresets.All[name], 100, frequencies);
        Assert.Equal(expected, frequencies[index], expected * 1e-6);
    }

    private static Llama WithChunk(int chunk)
    {
        using Checkpoint checkpoint = Checkpoint.Open(TestFiles.GoldenModel("llama4-scout"));
        LlamaConfig config = checkpoint.Config with { ContextLength = 4096, Llama4 = checkpoint.Config.Llama4! with { ChunkSize = chunk } };
        return Llama.Build(config, checkpoint.RopeLayout, name =>
        {
            Tensor tensor = checkpoint.GetTensor(name);
            Tensor copy = Tensor.Create(tensor.Shape);
            for (int r = 0; r < tensor.Rows; r++)
            {
                tensor.Row<float>(r).CopyTo(copy.Row<float>(r));
            }

            return new Weight(name, copy);
        });
    }
}
