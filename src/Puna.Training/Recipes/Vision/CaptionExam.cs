using System.Runtime.InteropServices;
using Puna.Models;
using Puna.Models.Vision;
using Puna.Tensors;
using Puna.Text;
using Puna.Training.Core;
using Puna.Training.Data.Altiplano;
using Puna.Training.Exams;

namespace Puna.Training.Recipes.Vision;

/// <summary>Has a model say what it sees in held-out pictures.</summary>
/// <param name="model">The model.</param>
/// <param name="ops">The device.</param>
/// <param name="tokenizer">Its tokenizer.</param>
/// <param name="data">The pictures.</param>
internal sealed class CaptionExam(TrainableModel model, CpuOps ops, Tokenizer tokenizer, CaptionData data)
{
    private const int Together = 50;
    private const int Samples = 5;

    /// <summary>Examines the model.</summary>
    /// <param name="pictures">How many pictures, from the first held-out one on.</param>
    /// <param name="progress">Told how many are done.</param>
    /// <param name="stop">Ends it.</param>
    public CaptionExamResult Run(int pictures, Action<int, int>? progress = null, CancellationToken stop = default)
    {
        AltiplanoPicture[] shown = [.. Enumerable.Range(0, pictures).Select(i => data.Picture(SplitPart.Test, i))];
        var captions = new List<string>();
        foreach (AltiplanoPicture[] some in shown.Chunk(Together))
        {
            stop.ThrowIfCancellationRequested();
            captions.AddRange(Say(some));
            progress?.Invoke(captions.Count, pictures);
        }

        CaptionMarks own = CaptionMarks.None, shuffled = CaptionMarks.None;
        for (int i = 0; i < pictures; i++)
        {
            own = own.With(shown[i], captions[i]);
            shuffled = shuffled.With(shown[(i + 1) % pictures], captions[i]);
        }

        return new CaptionExamResult(own, shuffled, [.. shown.Zip(captions, static (picture, said) => (picture.Caption, said)).Take(Samples)]);
    }

    /// <summary>Captions of some pictures, the likeliest token each time. Texts are short, so that a pass over all of them is cheaper than a cache would be to write.</summary>
    private string[] Say(AltiplanoPicture[] pictures)
    {
        TiledImage[] tiles = [.. pictures.Select(data.Tiles)];
        List<int>[] texts = [.. pictures.Select(_ => new List<int>(data.Prompt))];
        List<int> open = [.. Enumerable.Range(0, texts.Length)];
        var context = new ForwardContext();
        while (open.Count > 0)
        {
            ArenaMark mark = ops.Mark();
            var batch = new Batch();
            foreach (int i in open)
            {
                batch.Add(CollectionsMarshal.AsSpan(texts[i]), 0, BatchOutputs.Last);
            }

            Tensor logits = model.Model.Output.Forward(ops, PictureInputs.Hidden(model, ops, batch, [.. open.Select(i => (IReadOnlyList<TiledImage>)[tiles[i]])], context));
            for (int row = 0; row < open.Count; row++)
            {
                texts[open[row]].Add(Largest(logits.Row<float>(row)));
            }

            ops.Release(mark);
            open.RemoveAll(i => texts[i][^1] == tokenizer.EosId || texts[i].Count >= model.Config.ContextLength);
        }

        return [.. texts.Select(text => tokenizer.Decode(CollectionsMarshal.AsSpan(text)[data.Prompt.Length..], skipSpecial: true).Trim())];
    }

    private static int Largest(ReadOnlySpan<float> values)
    {
        int best = 0;
        for (int i = 1; i < values.Length; i++)
        {
            best = values[i] > values[best] ? i : best;
        }

        return best;
    }
}
