using System.Runtime.InteropServices;
using System.Text;
using Puna.Formats;
using Puna.Formats.Safetensors;
using Puna.Models.Adapters;
using Puna.Models.Checkpoints;
using Puna.Models.Conversion;
using Puna.Tensors;
using Puna.Tests.Shared;

namespace Puna.Models.Tests.Adapters;

/// <summary>Adapters that have parameters in full (peft's <c>modules_to_save</c>), against models whose files hold these parameters: the same bits.</summary>
public sealed class ModulesToSaveTests : IDisposable
{
    private static readonly int[] Ids = [1, 5, 9, 200, 17, 3, 250];

    private readonly string _folder = Directory.CreateTempSubdirectory("puna-saved-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("model.embed_tokens", "lm_head")]
    [InlineData("model.norm", "model.layers.1.input_layernorm")]
    [InlineData("model.layers.0.self_attn.q_proj", "model.layers.1.mlp.down_proj", "lm_head")]
    public void TheyTakeThePlaceOfTheModelsInEveryFormat(params string[] modules)
    {
        string source = TestFiles.GoldenModel("llama2-gqa");
        string lora = TestFiles.Golden("post-training", "rslora"), adapter = Adapter("both", source, modules, lora);
        string byHand = ByHand("by-hand", source, modules, untied: false);

        // Nothing is added to what the golden adapter leaves alone, and it is added to a saved module all the same.
        float[] expected = Logits(byHand, lora);
        Assert.Equal(expected, Logits(source, adapter));
        Assert.NotEqual(expected, Logits(source, lora));
        Assert.Equal(Logits(byHand, null), Logits(source, Adapter("alone", source, modules, null)));

        // In GGUF rows of q have another order, and vectors another type.
        string gguf = Path.Combine(_folder, "base.gguf"), merged = Path.Combine(_folder, "merged");
        Convert(source, null, gguf, CheckpointFormat.Gguf);
        Assert.Equal(expected, Logits(gguf, adapter));
        Convert(gguf, adapter, merged, CheckpointFormat.Safetensors);
        Assert.Equal(expected, Logits(merged, null));
    }

    /// <summary>Where the output layer is the embedding, whichever of the two was saved has values of its own from then on.</summary>
    [Theory]
    [InlineData("model.embed_tokens")]
    [InlineData("lm_head")]
    [InlineData("model.embed_tokens", "lm_head")]
    public void ATiedModelGetsTwo(params string[] modules)
    {
        string source = TestFiles.GoldenModel("llama32-tied"), adapter = Adapter("tied", source, modules, null);
        float[] expected = Logits(ByHand("by-hand", source, modules, untied: true), null);
        Assert.Equal(expected, Logits(source, adapter));
        Assert.NotEqual(expected, Logits(source, null));
        string merged = Path.Combine(_folder, "merged");
        Convert(source, adapter, merged, CheckpointFormat.Safetensors);
        Assert.Equal(expected, Logits(merged, null));

        // Also read into memory and packed, where weights are given back on the way.
        using var ops = new CpuOps(2);
        using Checkpoint checkpoint = Checkpoint.Open(source, map: false);
        checkpoint.Adapt(adapter);
        Assert.False(checkpoint.Config.TiedEmbeddings);
        Assert.Equal(expected, Runner.Whole(checkpoint.LoadPacked(ops), Ids));
    }

    [Fact]
    public void WeightsThatAreKeptTiedStayOne()
    {
        string source = TestFiles.GoldenModel("llama32-tied"), adapter = Adapter("kept", source, ["model.embed_tokens"], null, """, "ensure_weight_tying": true""");
        using Checkpoint checkpoint = Checkpoint.Open(source);
        checkpoint.Adapt(adapter);
        Assert.True(checkpoint.Config.TiedEmbeddings);
        Assert.Equal(Logits(ByHand("by-hand", source, ["model.embed_tokens"], untied: false), null), Runner.Whole(checkpoint.Load(), Ids));
        Refused(source, Adapter("other", source, ["model.embed_tokens", "lm_head"], null, """, "ensure_weight_tying": true"""), "expected the same values for the embedding and the output layer");
    }

    /// <summary>Beside matrices for the embedding, peft saves the embedding that they are added to.</summary>
    [Fact]
    public void AnEmbeddingWithMatricesHasItsBaseLayer()
    {
        string source = TestFiles.GoldenModel("llama2-gqa"), folder = Path.Combine(_folder, "base-layer");
        using Checkpoint checkpoint = Checkpoint.Open(source);
        (int vocab, int hidden) = (checkpoint.Config.Vocab, checkpoint.Config.Hidden);
        float[] table = Values(vocab * hidden, 1), a = Values(2 * vocab, 2), b = Values(hidden * 2, 3);
        Write(folder, """{"peft_type":"LORA","r":2,"lora_alpha":3}""",
            ("base_model.model.model.embed_tokens.base_layer.weight", new Shape(vocab, hidden), table),
            ("base_model.model.model.embed_tokens.lora_embedding_A", new Shape(2, vocab), a),
            ("base_model.model.model.embed_tokens.lora_embedding_B", new Shape(hidden, 2), b));
        checkpoint.Adapt(folder);
        Assert.Equal(table[(17 * hidden) + 5] + (1.5 * ((b[10] * a[17]) + (b[11] * a[vocab + 17]))), checkpoint.GetTensor("tok_embeddings.weight").Row<float>(17)[5], 1e-6);
    }

    [Fact]
    public void WhatDoesNotFitIsRefusedByName()
    {
        string source = TestFiles.GoldenModel("llama2-gqa");
        using Checkpoint checkpoint = Checkpoint.Open(source);
        (int vocab, int hidden) = (checkpoint.Config.Vocab, checkpoint.Config.Hidden);
        const string Settings = """{"peft_type":"LORA","r":4,"lora_alpha":4,"modules_to_save":["lm_head"]}""";
        float[] bad = Values(vocab * hidden, 1);
        bad[77] = float.NaN;
        Refused(source, Write(Path.Combine(_folder, "size"), Settings, ("base_model.model.lm_head.weight", new Shape(vocab + 1, hidden), Values((vocab + 1) * hidden, 1))), $"tensor base_model.model.lm_head.weight: expected [{vocab}, {hidden}], got [{vocab + 1}, {hidden}]");
        Refused(source, Write(Path.Combine(_folder, "nan"), Settings, ("base_model.model.lm_head.weight", new Shape(vocab, hidden), bad)), "expected finite values, got NaN");
        Refused(source, Write(Path.Combine(_folder, "none"), Settings, ("base_model.model.classifier.weight", new Shape(2, hidden), Values(2 * hidden, 1))), "tensor base_model.model.classifier.weight: expected one of a LoRA adapter");
        Refused(source, AdapterFiles.Write(Path.Combine(_folder, "missing"), [("layers.0.self_attn.q_proj", hidden, hidden)], 1), "expected the modules_to_save lm_head of adapter_config.json in full, got none of them", """{"peft_type":"LORA","r":4,"lora_alpha":4,"modules_to_save":["lm_head"]}""");

        // Beside the weights there is room for what is added only.
        using var ops = new CpuOps(1);
        string saved = Adapter("saved", source, ["lm_head"], TestFiles.Golden("post-training", "rslora"));
        Assert.Contains("got output.weight in full (modules_to_save): such an adapter can only be added to the weights", Assert.Throws<PunaException>(() => UnmergedAdapter.Open(saved, checkpoint, ops)).Message, StringComparison.Ordinal);
    }

    /// <summary>Llama 4's rows of q and k lie in Hugging Face's files as they are used: W + B A, row by row.</summary>
    [Fact]
    public void TheRowsOfALlama4AreThoseOfItsFiles()
    {
        using Checkpoint checkpoint = Checkpoint.Open(TestFiles.GoldenModel("llama4-scout")), adapted = Checkpoint.Open(TestFiles.GoldenModel("llama4-scout"));
        const string Name = "layers.0.attention.wq.weight";
        Tensor before = checkpoint.GetTensor(Name);
        (int rows, int columns) = ((int)before.Rows, (int)before.Columns);
        float[] a = Values(2 * columns, 1), b = Values(rows * 2, 2);
        adapted.Adapt(Write(Path.Combine(_folder, "four"), """{"peft_type":"LORA","r":2,"lora_alpha":2}""",
            ("base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight", new Shape(2, columns), a), ("base_model.model.model.layers.0.self_attn.q_proj.lora_B.weight", new Shape(rows, 2), b)));
        Tensor after = adapted.GetTensor(Name);
        for (int row = 0; row < rows; row++)
        {
            for (int c = 0; c < columns; c++)
            {
                Assert.Equal(before.Row<float>(row)[c] + ((double)b[row * 2] * a[c]) + ((double)b[(row * 2) + 1] * a[columns + c]), after.Row<float>(row)[c], 1e-6);
            }
        }
    }

    private static float[] Values(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => (random.NextSingle() - 0.5f) * 0.4f)];
    }

    private static float[] Logits(string model, string? adapter)
    {
        using Checkpoint checkpoint = Checkpoint.Open(model);
        if (adapter is not null)
        {
            checkpoint.Adapt(adapter);
        }

        return Runner.Whole(checkpoint.Load(), Ids);
    }

    private static void Convert(string from, string? adapter, string to, CheckpointFormat format)
    {
        using Checkpoint checkpoint = Checkpoint.Open(from);
        if (adapter is not null)
        {
            checkpoint.Adapt(adapter);
        }

        CheckpointConverter.Convert(checkpoint, to, new ConversionOptions { Format = format }, cancel: TestContext.Current.CancellationToken);
    }

    private static void Refused(string model, string adapter, string message, string? settings = null)
    {
        if (settings is not null)
        {
            File.WriteAllText(Path.Combine(adapter, "adapter_config.json"), settings);
        }

        using Checkpoint checkpoint = Checkpoint.Open(model);
        Assert.Contains(message, Assert.ThrowsAny<PunaException>(() => checkpoint.Adapt(adapter)).Message, StringComparison.Ordinal);
        Assert.Null(checkpoint.Adapter);
    }

    private static string Write(string folder, string settings, params (string Name, Shape Shape, float[] Values)[] tensors)
    {
        using var writer = new SafetensorsWriter(Path.Combine(folder, "adapter_model.safetensors"), makeFolder: true);
        writer.Attach(Path.Combine(folder, "adapter_config.json"), Encoding.UTF8.GetBytes(settings));
        foreach ((string name, Shape shape, _) in tensors)
        {
            writer.Declare(name, DType.F32, shape);
        }

        writer.Begin();
        foreach ((_, _, float[] values) in tensors)
        {
            writer.Write(MemoryMarshal.AsBytes<float>(values));
        }

        writer.Complete();
        return folder;
    }

    private static Shape ShapeOf(SafetensorsFile file, string module) =>
        file.TryGetInfo((module == "lm_head" && !file.TryGetInfo("lm_head.weight", out _) ? "model.embed_tokens" : module) + ".weight", out TensorInfo? info) ? info.Shape : throw new InvalidOperationException(module);

    private static float[] New(SafetensorsFile file, string module) => Values((int)ShapeOf(file, module).Count, module.Length);

    /// <summary>An adapter that has modules in full, and beside them the matrices of another one.</summary>
    private string Adapter(string name, string model, string[] modules, string? lora, string more = "")
    {
        using SafetensorsFile file = SafetensorsFile.Open(Path.Combine(model, "model.safetensors"));
        var tensors = modules.Select(module => ("base_model.model." + module + ".weight", ShapeOf(file, module), New(file, module))).ToList();
        string settings = """{"peft_type":"LORA","r":4,"lora_alpha":4}""";
        if (lora is not null)
        {
            using SafetensorsFile matrices = SafetensorsFile.Open(Path.Combine(lora, "adapter_model.safetensors"));
            tensors.AddRange(matrices.Tensors.Select(info => (info.Name, info.Shape, matrices.Floats(info.Name))));
            settings = File.ReadAllText(Path.Combine(lora, "adapter_config.json")).Replace("\"modules_to_save\": null", "\"was_null\": null", StringComparison.Ordinal);
        }

        string saved = string.Join(',', modules.Select(static m => $"\"{m.Split('.')[^1]}\""));
        settings = settings.TrimEnd()[..^1] + $", \"modules_to_save\": [{saved}]{more}}}";
        return Write(Path.Combine(_folder, name), settings, [.. tensors]);
    }

    /// <summary>The model with these modules in its own files.</summary>
    private string ByHand(string name, string model, string[] modules, bool untied)
    {
        string folder = Path.Combine(_folder, name);
        using SafetensorsFile file = SafetensorsFile.Open(Path.Combine(model, "model.safetensors"));
        List<(string Name, Shape Shape, float[] Values)> tensors = [.. file.Tensors.Select(info =>
            (info.Name, info.Shape, modules.Contains(info.Name[..^".weight".Length]) ? New(file, info.Name[..^".weight".Length]) : file.Floats(info.Name)))];
        if (untied)
        {
            tensors.Add(("lm_head.weight", ShapeOf(file, "lm_head"), modules.Contains("lm_head") ? New(file, "lm_head") : file.Floats("model.embed_tokens.weight")));
        }

        Write(folder, "{}", [.. tensors]);
        File.Move(Path.Combine(folder, "adapter_model.safetensors"), Path.Combine(folder, "model.safetensors"));
        string config = File.ReadAllText(Path.Combine(model, "config.json"));
        File.WriteAllText(Path.Combine(folder, "config.json"), untied ? config.Replace("\"tie_word_embeddings\": true", "\"tie_word_embeddings\": false", StringComparison.Ordinal) : config);
        return folder;
    }
}
