using Puna.Models;
using Puna.Models.Vision;
using Puna.Tensors;

namespace Puna.Training.Core;

/// <summary>Passes over texts with pictures, for either design, on ops that may remember the way back into the encoder.</summary>
internal static class PictureInputs
{
    /// <summary>A forward pass without the output layer; without pictures it is the one over text alone.</summary>
    /// <param name="model">The model.</param>
    /// <param name="ops">The device, or a tape around it.</param>
    /// <param name="batch">Whole sequences.</param>
    /// <param name="images">Pictures of each sequence, or none at all.</param>
    /// <param name="context">Reused from pass to pass.</param>
    /// <returns>Hidden states of the batch's outputs <c>[outputs, hidden]</c> float32.</returns>
    /// <exception cref="PunaException">The model does not see, or a text has more or fewer places for pictures.</exception>
    public static Tensor Hidden(TrainableModel model, IOps ops, Batch batch, IReadOnlyList<IReadOnlyList<TiledImage>> images, ForwardContext context)
    {
        if (images.Count == 0)
        {
            return model.Model.Hidden(ops, batch, context);
        }

        if (model.Model.Vision is { } mllama)
        {
            return model.Model.Hidden(ops, batch, context, null, Cross(mllama, ops, batch, images));
        }

        context.Soft = Soft(model.Pictures ?? throw new PunaException($"images: expected a model that sees, got {model.Config.Name}"), ops, batch, images);
        try
        {
            return model.Model.Hidden(ops, batch, context);
        }
        finally
        {
            context.Soft = null;
        }
    }

    /// <summary>Llama 3.2 Vision: what the cross-attention layers look at, computed with the pass.</summary>
    private static CrossStates?[] Cross(MllamaVision vision, IOps ops, Batch batch, IReadOnlyList<IReadOnlyList<TiledImage>> images)
    {
        MllamaConfig config = vision.Config;
        MllamaImage[][] tiles = [.. images.Select(list => list.Select(image => MllamaImage.Of(config, image.Pixels, image.Grid.Rows, image.Grid.Columns)).ToArray())];
        Tensor features = vision.Forward(ops, [.. tiles.SelectMany(static list => list)]);
        var states = new CrossStates?[batch.Sequences];
        int first = 0;
        for (int s = 0; s < states.Length; s++)
        {
            if (tiles[s].Length > 0)
            {
                ReadOnlySpan<int> tokens = batch.Tokens[batch.Starts[s]..batch.Starts[s + 1]];
                states[s] = CrossStates.Of(CrossMask.Of(tokens, config.ImageToken, [.. tiles[s].Select(static image => image.IsUsed)], config.MaxTiles), features, first);
                first += tiles[s].Length;
            }
        }

        return states;
    }

    /// <summary>Llama 4: the embeddings of patches, in the order of their tokens.</summary>
    private static SoftTokens Soft(Llama4Vision vision, IOps ops, Batch batch, IReadOnlyList<IReadOnlyList<TiledImage>> images)
    {
        var rows = new List<int>();
        for (int s = 0; s < batch.Sequences; s++)
        {
            int before = rows.Count;
            for (int row = batch.Starts[s]; row < batch.Starts[s + 1]; row++)
            {
                if (batch.Tokens[row] == vision.Config.PatchToken)
                {
                    rows.Add(row);
                }
            }

            int expected = images[s].Sum(static image => image.Tiles) * vision.Config.TokensPerTile;
            if (rows.Count - before != expected)
            {
                throw new PunaException($"images of sequence {s}: expected {expected} patch tokens in its text, got {rows.Count - before}");
            }
        }

        float[] pixels = [.. images.SelectMany(static list => list).SelectMany(static image => image.Pixels)];
        return new SoftTokens([.. rows], vision.Forward(ops, pixels, images.Sum(static list => list.Sum(static image => image.Tiles))));
    }
}
