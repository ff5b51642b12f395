using Puna.Tensors;

namespace Puna.Models.Vision;

/// <summary>
/// Where the tokens of some images are. In order: image, tile slot, token. While the blocks run, each image's tokens of tiles in use come first, then those of empty slots, then the rows that fill tiles up: so what a
/// token sees is a range. Tokens of tiles in use see all rows, fillers and empty slots too; those see tokens of tiles in use only (spec llama1-3.md 4.2: only padding to padding is blocked).
/// </summary>
internal sealed class MllamaRows
{
    private readonly MllamaConfig _config;
    private readonly IReadOnlyList<MllamaImage> _images;

    public MllamaRows(MllamaConfig config, IReadOnlyList<MllamaImage> images)
    {
        (_config, _images) = (config, images);
        int tokens = config.TileTokens, slots = config.MaxTiles, rows = slots * config.PaddedTokens;
        Working = new int[images.Count * slots * tokens];
        SlotOf = new int[images.Count * rows];
        for (int i = 0; i < images.Count; i++)
        {
            int at = i * rows, seen = 0;
            foreach (bool used in (bool[])[true, false])
            {
                for (int slot = 0; slot < slots; slot++)
                {
                    for (int t = 0; t < tokens && images[i].IsUsed[slot] == used; t++)
                    {
                        SlotOf[at] = (i * slots) + slot;
                        Working[(((i * slots) + slot) * tokens) + t] = at++;
                    }
                }

                seen = used ? at - (i * rows) : seen;
            }

            for (int slot = 0; slot < slots; slot++)
            {
                for (int t = tokens; t < config.PaddedTokens; t++)
                {
                    SlotOf[at++] = (i * slots) + slot;
                }
            }

            Plan.AddSequence(0, rows);
            Plan.AddQueries(seen, 0, rows);
            Plan.AddQueries(rows - seen, 0, seen);
        }
    }

    /// <summary>What each working row sees.</summary>
    public AttentionPlan Plan { get; } = new();

    /// <summary>The working row of each token.</summary>
    public int[] Working { get; }

    /// <summary>Image and tile slot, as one number, of each working row.</summary>
    public int[] SlotOf { get; }

    /// <summary>Working rows of an image.</summary>
    public int Count => SlotOf.Length;

    /// <summary>Rows of a table with one row per place of a tile, and the rows they are for.</summary>
    /// <param name="slots">Image and tile slot of each row.</param>
    /// <param name="perPlace">Rows of the table per place.</param>
    /// <param name="within">Gives a row's place among these.</param>
    public (int[] Table, int[] Rows) Places(IReadOnlyList<int> slots, int perPlace, Func<int, int> within)
    {
        var table = new List<int>();
        var rows = new List<int>();
        for (int row = 0; row < slots.Count; row++)
        {
            int place = _images[slots[row] / _config.MaxTiles].Place(_config, slots[row] % _config.MaxTiles);
            if (place >= 0)
            {
                table.Add((place * perPlace) + within(row));
                rows.Add(row);
            }
        }

        return ([.. table], [.. rows]);
    }
}
