using Puna.Models.Vision;
using Puna.Tensors;

namespace Puna.Runtime.Generation;

/// <summary>What a model's encoder makes of a picture by itself.</summary>
internal static class ImageEncoder
{
    /// <summary>Encodes a picture. The bits are the same on any number of threads, and alone or among others.</summary>
    /// <param name="model">A model that sees; kept open meanwhile.</param>
    /// <param name="ops">The device; nobody else uses it meanwhile.</param>
    /// <param name="image">A picture that was checked (<see cref="PromptImages.Of"/>).</param>
    /// <returns>In memory of its own: Llama 3.2 Vision, image tokens of the tile slots in use <c>[tiles * tileTokens, hidden]</c>; Llama 4, an embedding for each patch token <c>[tiles * tokensPerTile, hidden]</c>.</returns>
    public static Tensor Encode(LanguageModel model, CpuOps ops, TiledImage image)
    {
        if (model.Llama.Vision is not { } vision)
        {
            return model.RequireLlama4Vision(ops).Encode(ops, image.Pixels, image.Tiles);
        }

        ArenaMark mark = ops.Mark();
        try
        {
            Tensor features = vision.Forward(ops, [PromptImages.InTiles(vision.Config, image)], shareEmpty: true).Slice(0, (long)image.Grid.Tiles * vision.Config.TileTokens);
            Tensor own = Tensor.Create(features.Shape);
            for (long row = 0; row < features.Rows; row++)
            {
                features.Row<float>(row).CopyTo(own.Row<float>(row));
            }

            return own;
        }
        finally
        {
            ops.Release(mark);
        }
    }
}
