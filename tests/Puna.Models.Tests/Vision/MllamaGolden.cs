using Puna.Formats.Safetensors;
using Puna.Models.Checkpoints;
using Puna.Models.Vision;
using Puna.Tensors;
using Puna.Tests.Shared;

namespace Puna.Models.Tests.Vision;

/// <summary>The golden model that sees, with the inputs and results of the reference (goldens/README.md).</summary>
internal sealed class MllamaGolden : IDisposable
{
    public MllamaGolden()
    {
        string folder = TestFiles.GoldenModel("llama32-vision");
        Io = SafetensorsFile.Open(Path.Combine(folder, "io.safetensors"));
        Checkpoint = Checkpoint.Open(folder);
        Model = Checkpoint.Load();
        Ids = Io.Ints("input_ids");
        Image = new MllamaImage(Io.Floats("pixel_values"), Io.Ints("aspect_ratio_ids")[0], [.. Io.Ints("aspect_ratio_mask").Select(static x => x == 1)]);
        Mask = CrossMask.Of(Io.Floats("cross_attention_mask"), Ids.Length, 1, 4);
    }

    public SafetensorsFile Io { get; }

    public Checkpoint Checkpoint { get; }

    public Llama Model { get; }

    public int[] Ids { get; }

    public MllamaImage Image { get; }

    public CrossMask Mask { get; }

    /// <summary>Logits of every token of texts with images, in one pass without caches of text.</summary>
    public static float[][] Whole(Llama model, int[][] texts, IReadOnlyList<CrossStates?>? states, CpuOps ops, IOps? decorated = null)
    {
        var batch = new Batch();
        foreach (int[] text in texts)
        {
            batch.Add(text, 0, BatchOutputs.All);
        }

        ArenaMark mark = ops.Mark();
        float[] all = Read(ops, model.Forward(decorated ?? ops, batch, new ForwardContext(), null, states));
        ops.Release(mark);
        int vocab = model.Output.Weight.Out;
        return [.. texts.Select((text, s) => all[(batch.Starts[s] * vocab)..(batch.Starts[s + 1] * vocab)])];
    }

    /// <summary>Logits of every token of a text that is read in chunks, with a cache.</summary>
    public static float[] Chunked(Llama model, int[] text, CrossStates? states, CpuOps ops, int chunk)
    {
        using KvCache cache = model.CreateCache(DType.F32);
        KvSequence[] sequence = [cache.CreateSequence()];
        var context = new ForwardContext();
        var batch = new Batch();
        var logits = new List<float>();
        for (int at = 0; at < text.Length; at += chunk)
        {
            ArenaMark mark = ops.Mark();
            batch.Clear();
            batch.Add(text.AsSpan(at, Math.Min(chunk, text.Length - at)), at, BatchOutputs.All);
            logits.AddRange(Read(ops, model.Forward(ops, batch, context, sequence, [states])));
            ops.Release(mark);
        }

        return [.. logits];
    }

    public static float[] Read(CpuOps ops, Tensor x)
    {
        var values = new float[x.Shape.Count];
        ops.Read(x, values);
        return values;
    }

    public void Dispose()
    {
        Checkpoint.Dispose();
        Io.Dispose();
    }
}
