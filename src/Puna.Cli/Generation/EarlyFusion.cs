using Puna.Models;
using Puna.Models.Checkpoints;
using Puna.Models.Vision;
using Puna.Tensors;

namespace Puna.Cli.Generation;

/// <summary>The pictures of a prompt for a Llama 4: where their patches stand, and the embeddings these take.</summary>
internal sealed class EarlyFusion
{
    private readonly int[] _positions;
    private readonly Tensor _values;

    private EarlyFusion(int[] positions, Tensor values) => (_positions, _values) = (positions, values);

    /// <summary>Computes the embeddings.</summary>
    /// <param name="checkpoint">The model.</param>
    /// <param name="ops">The device.</param>
    /// <param name="ids">The prompt.</param>
    /// <param name="pixels">Tiles <c>[tiles, 3, size, size]</c> of all pictures, in order.</param>
    /// <exception cref="PunaException">The tiles are of another size, or as many tokens as they make are not in the prompt.</exception>
    public static EarlyFusion Compute(Checkpoint checkpoint, CpuOps ops, int[] ids, InputArray<float> pixels)
    {
        Llama4Vision vision = checkpoint.LoadLlama4Vision(ops);
        int side = vision.Config.ImageSize;
        Shape shape = pixels.Shape;
        if (shape.Rank < 4 || shape[shape.Rank - 3] != 3 || shape[shape.Rank - 2] != side || shape[shape.Rank - 1] != side)
        {
            throw new PunaException($"pixel_values: expected [tiles, 3, {side}, {side}], got {shape}");
        }

        int tiles = (int)(pixels.Values.Length / (3L * side * side)), tokens = tiles * vision.Config.TokensPerTile;
        int[] positions = [.. Enumerable.Range(0, ids.Length).Where(i => ids[i] == vision.Config.PatchToken)];
        if (positions.Length != tokens)
        {
            throw new PunaException($"tokens: expected {tokens} of the patch token {vision.Config.PatchToken} for {tiles} tiles, got {positions.Length}");
        }

        lock (ops.Gate)
        {
            return new EarlyFusion(positions, vision.Encode(ops, pixels.Values, tiles));
        }
    }

    /// <summary>What a pass over some of the prompt's tokens takes from the pictures.</summary>
    /// <param name="first">First token of the pass.</param>
    /// <param name="count">Number of tokens.</param>
    public SoftTokens? Rows(int first, int count)
    {
        int from = Array.FindIndex(_positions, p => p >= first), end = Array.FindIndex(_positions, p => p >= first + count);
        end = end < 0 ? _positions.Length : end;
        return from < 0 || from >= end ? null : new SoftTokens([.. _positions[from..end].Select(p => p - first)], _values.Slice(from, end - from));
    }
}
