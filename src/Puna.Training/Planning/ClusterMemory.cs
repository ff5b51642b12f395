using Puna.Models;

namespace Puna.Training.Planning;

/// <summary>Bytes of the devices of a pipeline stage (spec training.md 1.11).</summary>
internal static class ClusterMemory
{
    /// <summary>One device of a stage.</summary>
    public static MemoryPlan OfStage(PlanLayout layout, int stage)
    {
        LlamaConfig m = layout.Model;
        TrainingPlanOptions o = layout.Options;
        int width = o.Precision == PlanPrecision.BFloat16 ? 2 : 4;
        bool first = stage == 0, last = stage == layout.Pp - 1;
        double block = BlockParameters(m, layout.Tp);
        double embedding = (double)m.Vocab * m.Hidden / layout.Tp;

        // Tied embeddings are one matrix, unless their two uses are in different stages.
        bool second = last && !(m.TiedEmbeddings && first);
        double parameters = (layout.StageLayers[stage] * block) + (first ? embedding : 0) + (second ? embedding : 0) + (last ? m.Hidden : 0);
        int sharing = layout.Dp * layout.Cp;
        double optimizer = o.Zero == PlanZero.None ? 1 : sharing, gradients = o.Zero is PlanZero.Gradients or PlanZero.Full ? sharing : 1, weights = o.Zero == PlanZero.Full ? sharing : 1;
        double largest = Math.Max(block, first || last ? embedding : 0);

        // Everything a token leaves behind is cut over the tensor-parallel ranks: along heads, the feed-forward width, or the sequence.
        double tokens = (double)layout.Sequence * o.MicroBatch / layout.Cp / layout.Tp;
        double whole = tokens * BytesPerTokenAndLayer(m, width);
        bool full = o.Checkpointing == PlanCheckpointing.Full;
        double kept = full ? tokens * width * m.Hidden : whole;

        // One forward, one backward: a stage has as many micro-batches under way as there are stages from it to the end.
        double underway = Math.Min(layout.MicroBatches, layout.Pp - stage);
        double rows = Math.Min(layout.LossRows, (double)layout.Sequence * o.MicroBatch / layout.Cp);
        return new MemoryPlan
        {
            Parameters = parameters * width / weights,
            Gradients = parameters * sizeof(float) / gradients,
            Optimizer = parameters * ((2 * sizeof(float)) + (width == sizeof(float) ? 0 : sizeof(float))) / optimizer,
            Gathered = o.Zero == PlanZero.Full && sharing > 1 ? largest * width : 0,
            Activations = kept * layout.StageLayers[stage] * underway,
            Recomputed = full ? whole - kept : 0,
            Logits = last ? rows * m.Vocab / layout.Tp * width : 0,
        };
    }

    /// <summary>
    /// What is kept of a block per token: its input, both normed inputs and the middle of the residual stream; queries and the attention's output; keys and values; gate, up and their product; the
    /// log-sum-exp of each head in float32.
    /// </summary>
    public static double BytesPerTokenAndLayer(LlamaConfig m, int width)
    {
        double q = (double)m.Heads * m.HeadDim, kv = (double)m.KvHeads * m.HeadDim;
        return (width * ((4.0 * m.Hidden) + (2 * q) + (2 * kv) + (3.0 * m.Ffn))) + (sizeof(float) * (double)m.Heads);
    }

    /// <summary>Parameters of a block on one device: matrices and their column biases are cut, norms and the biases of outputs are not.</summary>
    private static double BlockParameters(LlamaConfig m, int tp)
    {
        double q = (double)m.Heads * m.HeadDim, kv = (double)m.KvHeads * m.HeadDim;
        double cut = (2 * m.Hidden * q) + (2 * m.Hidden * kv) + (3.0 * m.Hidden * m.Ffn) + (m.QkvBias ? q + (2 * kv) : 0) + (m.MlpBias ? 2.0 * m.Ffn : 0);
        return (cut / tp) + (2.0 * m.Hidden) + (m.AttentionOutputBias ? m.Hidden : 0) + (m.MlpBias ? m.Hidden : 0);
    }
}
