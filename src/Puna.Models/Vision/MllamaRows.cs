using Puna.Tensors;

namespace Puna.Models.Vision;

/// <summary>
/// Where the tokens of some images are. In order: image, tile slot, token. While the blocks run, each image's tokens of tiles in use come first, then those of empty slots, then the rows that fill tiles up: so what a
/// token sees is a range. Tokens of tiles in use see all rows, fillers and empty slots too; those see tokens of tiles in use only (spec llama1-3.md 4.2: only padding to padding is blocked).
/// </summary>
/// <remarks>
/// Rows that begin alike and see the same stay alike: the fillers of a tile, and tokens of empty slots whose places have the same embeddings. One of them is computed for all (a working row), and as a key it is seen as
/// often as it stands for one (<see cref="Keys"/>), so that every sum has the same terms in the same order.
/// </remarks>
public sealed class MllamaRows
{
    /// <summary>Lays images out.</summary>
    /// <param name="config">The encoder.</param>
    /// <param name="images">The images.</param>
    /// <param name="twins">For an image and a tile slot that is empty, the earlier empty slot of the image that it is always equal to, or itself.</param>
    public MllamaRows(MllamaConfig config, IReadOnlyList<MllamaImage> images, Func<int, int, int> twins)
    {
        int tokens = config.TileTokens, slots = config.MaxTiles, fillers = config.PaddedTokens - tokens;
        Working = new int[images.Count * slots * tokens];
        var slotOf = new List<int>();
        var (keys, source, target) = (new List<int>(), new List<int>(), new List<int>());
        for (int i = 0; i < images.Count; i++)
        {
            int image = i, origin = slotOf.Count, seen = 0, firstKey = keys.Count;
            var twin = new int[slots];
            for (int slot = 0; slot < slots; slot++)
            {
                twin[slot] = images[i].IsUsed[slot] ? slot : twins(i, slot);
            }

            foreach (bool used in (bool[])[true, false])
            {
                for (int slot = 0; slot < slots; slot++)
                {
                    for (int t = 0; t < tokens && images[i].IsUsed[slot] == used; t++)
                    {
                        int token = Token(slot, t);
                        if (twin[slot] == slot)
                        {
                            Working[token] = slotOf.Count;
                            source.Add(token);
                            target.Add(slotOf.Count);
                            slotOf.Add((i * slots) + slot);
                        }
                        else
                        {
                            Working[token] = Working[Token(twin[slot], t)];
                        }

                        keys.Add(Working[token]);
                    }
                }

                seen = used ? slotOf.Count - origin : seen;
            }

            var filler = new int[slots];
            for (int slot = 0; slot < slots && fillers > 0; slot++)
            {
                filler[slot] = filler[twin[slot]];
                if (twin[slot] == slot)
                {
                    filler[slot] = slotOf.Count;
                    slotOf.Add((i * slots) + slot);
                }

                keys.AddRange(Enumerable.Repeat(filler[slot], fillers));
            }

            int rows = keys.Count - firstKey;
            Plan.AddSequence(0, rows);
            Plan.AddQueries(seen, 0, rows);
            Plan.AddQueries(slotOf.Count - origin - seen, 0, seen);

            int Token(int slot, int t) => (((image * slots) + slot) * tokens) + t;
        }

        (SlotOf, Source, Target) = ([.. slotOf], [.. source], [.. target]);
        Keys = keys.Count == SlotOf.Length ? null : [.. keys];
    }

    /// <summary>What each working row sees of the keys.</summary>
    public AttentionPlan Plan { get; } = new();

    /// <summary>The working row of each token.</summary>
    public int[] Working { get; }

    /// <summary>Image and tile slot, as one number, of each working row.</summary>
    public int[] SlotOf { get; }

    /// <summary>The tokens that have a working row of their own.</summary>
    public int[] Source { get; }

    /// <summary>The working rows of <see cref="Source"/>; the other ones are fillers.</summary>
    public int[] Target { get; }

    /// <summary>The working row of each key, or null where they are the working rows in order.</summary>
    public int[]? Keys { get; }

    /// <summary>Working rows of all images.</summary>
    public int Count => SlotOf.Length;

    /// <summary>Rows of a table with one row per place of a tile, and the rows they are for.</summary>
    /// <param name="config">The encoder.</param>
    /// <param name="images">The images.</param>
    /// <param name="slots">Image and tile slot of each row.</param>
    /// <param name="perPlace">Rows of the table per place.</param>
    /// <param name="within">Gives a row's place among these.</param>
    internal static (int[] Table, int[] Rows) Places(MllamaConfig config, IReadOnlyList<MllamaImage> images, IReadOnlyList<int> slots, int perPlace, Func<int, int> within)
    {
        var table = new List<int>();
        var rows = new List<int>();
        for (int row = 0; row < slots.Count; row++)
        {
            int place = images[slots[row] / config.MaxTiles].Place(config, slots[row] % config.MaxTiles);
            if (place >= 0)
            {
                table.Add((place * perPlace) + within(row));
                rows.Add(row);
            }
        }

        return ([.. table], [.. rows]);
    }
}
