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
        var sizes = new BlockSize(m, layout.Tp, width);
        int begin = layout.StageLayers.Take(stage).Sum(), end = begin + layout.StageLayers[stage];
        double blocks = 0, block = 0, whole = 0, largestWhole = 0;
        for (int i = begin; i < end; i++)
        {
            (blocks, block) = (blocks + sizes.Parameters(i), Math.Max(block, sizes.Parameters(i)));
            (whole, largestWhole) = (whole + sizes.BytesPerToken(i), Math.Max(largestWhole, sizes.BytesPerToken(i)));
        }

        double embedding = (double)m.InputVocab * m.Hidden / layout.Tp, output = (double)m.Vocab * m.Hidden / layout.Tp;

        // Tied embeddings are one matrix, unless their two uses are in different stages.
        bool second = last && !(m.TiedEmbeddings && first);
        double parameters = blocks + (first ? embedding + sizes.Encoder : 0) + (second ? output : 0) + (last ? m.Hidden : 0);
        double sharing = (double)layout.Dp * layout.Cp;
        double optimizer = o.Zero == PlanZero.None ? 1 : sharing, gradients = o.Zero is PlanZero.Gradients or PlanZero.Full ? sharing : 1, weights = o.Zero == PlanZero.Full ? sharing : 1;
        double largest = Math.Max(block, first || last ? embedding : 0);

        // Everything a token leaves behind is cut over the tensor-parallel ranks: along heads, the feed-forward width, or the sequence.
        double tokens = (double)layout.Sequence * o.MicroBatch / layout.Cp / layout.Tp;
        bool full = o.Checkpointing == PlanCheckpointing.Full;
        double input = (double)width * m.Hidden;
        double kept = tokens * (full ? layout.StageLayers[stage] * input : whole);

        // One forward, one backward: a stage has as many micro-batches under way as there are stages from it to the end.
        double underway = Math.Min(layout.MicroBatches, layout.Pp - stage);
        double rows = Math.Min(layout.LossRows, (double)layout.Sequence * o.MicroBatch / layout.Cp);
        return new MemoryPlan
        {
            Parameters = parameters * width / weights,
            Gradients = parameters * sizeof(float) / gradients,
            Optimizer = parameters * ((2 * sizeof(float)) + (width == sizeof(float) ? 0 : sizeof(float))) / optimizer,
            Gathered = o.Zero == PlanZero.Full && sharing > 1 ? largest * width : 0,
            Activations = kept * underway,
            Recomputed = full ? tokens * (largestWhole - input) : 0,
            Logits = last ? rows * m.Vocab / layout.Tp * width : 0,
        };
    }
}
