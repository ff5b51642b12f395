using Puna.Models;
using Puna.Models.Vision;
using Puna.Tensors;

namespace Puna.Cli.Generation;

/// <summary>
/// The images of a recorded test for a Llama 3.2 Vision, under the names of the model's reference: <c>pixel_values</c> <c>[images, tiles, 3, side, side]</c>, <c>aspect_ratio_ids</c> <c>[images]</c>,
/// <c>aspect_ratio_mask</c> <c>[images, tiles]</c> (absent: as many tiles as the aspect ratio has), <c>cross_attention_mask</c> <c>[tokens, images, tiles]</c> (absent: as the image tokens of the text say). Each may have one
/// more dimension of size 1 in front.
/// </summary>
/// <param name="Images">The images.</param>
/// <param name="Mask">Who sees what.</param>
internal sealed record MllamaInputs(IReadOnlyList<MllamaImage> Images, CrossMask Mask)
{
    /// <summary>Puts the inputs together.</summary>
    /// <param name="inputs">The inputs.</param>
    /// <param name="model">The model.</param>
    /// <returns>Null where the model is another one, or there are no <c>pixel_values</c>: text alone.</returns>
    /// <exception cref="PunaException">A tensor is missing, or does not fit the others or the model.</exception>
    public static MllamaInputs? Read(ModelInputs inputs, LlamaConfig model)
    {
        if (model.Vision is not { } config || inputs.Pixels is not { } pixels)
        {
            return null;
        }

        long[] sizes = Sizes(pixels.Shape, 5);
        if (sizes.Length != 5 || pixels.Shape.Count == 0 || sizes[1] > config.MaxTiles || !sizes[2..].SequenceEqual([MllamaConfig.Channels, config.ImageSize, config.ImageSize]))
        {
            throw new PunaException($"tensor pixel_values: expected [images, 1 to {config.MaxTiles}, 3, {config.ImageSize}, {config.ImageSize}], got {pixels.Shape}");
        }

        int images = (int)sizes[0], size = pixels.Values.Length / images;
        int[] ratios = Values(inputs.AspectRatioIds, "aspect_ratio_ids", images) ?? throw new PunaException("tensor aspect_ratio_ids: expected beside pixel_values, got none");
        int[]? used = Values(inputs.AspectRatioMask, "aspect_ratio_mask", images, config.MaxTiles);
        int bad = used is null ? -1 : Array.FindIndex(used, static x => x is not (0 or 1));
        if (bad >= 0)
        {
            throw new PunaException($"tensor aspect_ratio_mask[{bad}]: expected 0 or 1, got {used![bad]}");
        }

        var list = new List<MllamaImage>();
        for (int i = 0; i < images; i++)
        {
            if (ratios[i] < 0 || ratios[i] > config.AspectRatios.Count)
            {
                throw new PunaException($"tensor aspect_ratio_ids: expected 0 to {config.AspectRatios.Count}, got {ratios[i]}");
            }

            int filled = ratios[i] == 0 ? 1 : config.AspectRatios[ratios[i] - 1].Height * config.AspectRatios[ratios[i] - 1].Width;
            bool[] isUsed = [.. Enumerable.Range(0, config.MaxTiles).Select(t => used is null ? t < filled : used[(i * config.MaxTiles) + t] != 0)];
            list.Add(new MllamaImage(pixels.Values.AsMemory(i * size, size), ratios[i], isUsed).Check(config));
        }

        CrossMask mask = Values(inputs.CrossAttentionMask, "cross_attention_mask", inputs.Ids.Length, images, config.MaxTiles) is { } seen
            ? CrossMask.Of(Array.ConvertAll(seen, static x => (float)x), inputs.Ids.Length, images, config.MaxTiles)
            : CrossMask.Of(inputs.Ids, config.ImageToken, [.. list.Select(static x => x.IsUsed)], config.MaxTiles);
        return new MllamaInputs(list, mask);
    }

    /// <summary>The values of a tensor that must have these sizes, or null where there is none.</summary>
    private static int[]? Values(InputArray<int>? array, string name, params long[] expected) =>
        array is null ? null
        : Sizes(array.Shape, expected.Length).SequenceEqual(expected) ? array.Values
        : throw new PunaException($"tensor {name}: expected [{string.Join(", ", expected)}], got {array.Shape}");

    /// <summary>The sizes, without one of 1 in front where there is one too many.</summary>
    private static long[] Sizes(Shape shape, int rank)
    {
        long[] sizes = shape.ToArray();
        return sizes.Length == rank + 1 && sizes[0] == 1 ? sizes[1..] : sizes;
    }
}
