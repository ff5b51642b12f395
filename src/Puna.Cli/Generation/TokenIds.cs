using Puna.Tensors;

namespace Puna.Cli.Generation;

/// <summary>Checks token ids that a user wrote.</summary>
internal static class TokenIds
{
    /// <summary>Throws where an id has no row in the embedding.</summary>
    public static void Check(ReadOnlySpan<int> ids, int vocabulary)
    {
        for (int i = 0; i < ids.Length; i++)
        {
            if ((uint)ids[i] >= (uint)vocabulary)
            {
                throw new PunaException($"token {i + 1}: expected an id from 0 to {vocabulary - 1}, got {ids[i]}");
            }
        }
    }
}
