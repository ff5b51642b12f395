using Puna.Tensors;

namespace Puna.Models.Vision;

/// <summary>
/// Which tiles of which images each token of a text sees (spec llama1-3.md 4.4). Tokens that see the same form a set; a token behind the end sees what the last one does, so that a reply sees the image it is about.
/// </summary>
public sealed class CrossMask
{
    private readonly int[] _setOf;
    private readonly int[][] _sets;

    private CrossMask(int[] setOf, int[][] sets, int images, int maxTiles) => (_setOf, _sets, Images, MaxTiles) = (setOf, sets, images, maxTiles);

    /// <summary>The different sets of tiles that tokens see: image times <see cref="MaxTiles"/> plus tile, ascending. None is empty.</summary>
    public IReadOnlyList<IReadOnlyList<int>> Sets => _sets;

    /// <summary>Images of the text.</summary>
    public int Images { get; }

    /// <summary>Tile slots of an image.</summary>
    public int MaxTiles { get; }

    /// <summary>The set that a token sees, or -1 where it sees none.</summary>
    public int SetAt(int position) => _setOf.Length == 0 ? -1 : _setOf[Math.Min(position, _setOf.Length - 1)];

    /// <summary>The mask of a text: from an image on its tokens see that image, up to the next one; images that stand side by side are seen together from the last of them on.</summary>
    /// <param name="tokens">The text.</param>
    /// <param name="imageToken">The token that stands for an image.</param>
    /// <param name="used">Per image, which tile slots are used.</param>
    /// <param name="maxTiles">Tile slots of an image.</param>
    /// <exception cref="PunaException">There are more or fewer image tokens than images.</exception>
    public static CrossMask Of(ReadOnlySpan<int> tokens, int imageToken, IReadOnlyList<IReadOnlyList<bool>> used, int maxTiles)
    {
        var builder = new Builder(tokens.Length);
        var seen = new List<int>();
        int images = 0;
        for (int t = 0; t < tokens.Length; t++)
        {
            if (tokens[t] == imageToken)
            {
                if (t == 0 || tokens[t - 1] != imageToken)
                {
                    seen.Clear();
                }

                for (int tile = 0; images < used.Count && tile < maxTiles; tile++)
                {
                    if (used[images][tile])
                    {
                        seen.Add((images * maxTiles) + tile);
                    }
                }

                images++;
            }

            builder.Add(seen);
        }

        return images == used.Count ? builder.Build(images, maxTiles) : throw new PunaException($"images: expected one for each of the {images} image tokens of the prompt, got {used.Count}");
    }

    /// <summary>A mask as the reference has it.</summary>
    /// <param name="mask"><c>[tokens, images, maxTiles]</c>, 1 where a token sees a tile, else 0.</param>
    /// <param name="tokens">Tokens.</param>
    /// <param name="images">Images.</param>
    /// <param name="maxTiles">Tile slots of an image.</param>
    /// <exception cref="PunaException">Another value, or another number of them.</exception>
    public static CrossMask Of(ReadOnlySpan<float> mask, int tokens, int images, int maxTiles)
    {
        if (mask.Length != (long)tokens * images * maxTiles)
        {
            throw new PunaException($"cross-attention mask: expected {tokens} x {images} x {maxTiles} values, got {mask.Length}");
        }

        var builder = new Builder(tokens);
        var seen = new List<int>();
        int width = images * maxTiles;
        for (int t = 0; t < tokens; t++)
        {
            seen.Clear();
            for (int i = 0; i < width; i++)
            {
                float value = mask[(t * width) + i];
                if (value == 1)
                {
                    seen.Add(i);
                }
                else if (value != 0)
                {
                    throw new PunaException(FormattableString.Invariant($"cross-attention mask of token {t}: expected 0 or 1, got {value}"));
                }
            }

            builder.Add(seen);
        }

        return builder.Build(images, maxTiles);
    }

    /// <summary>Gives equal sets one number.</summary>
    private sealed class Builder(int tokens)
    {
        private readonly List<int> _setOf = new(tokens);
        private readonly List<int[]> _sets = [];

        public void Add(List<int> seen)
        {
            // Neighbours mostly see the same, so the latest set is looked at first.
            int set = seen.Count == 0 ? -1 : _sets.FindLastIndex(s => s.AsSpan().SequenceEqual(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(seen)));
            if (set < 0 && seen.Count > 0)
            {
                set = _sets.Count;
                _sets.Add([.. seen]);
            }

            _setOf.Add(set);
        }

        public CrossMask Build(int images, int maxTiles) => new([.. _setOf], [.. _sets], images, maxTiles);
    }
}
