namespace Puna.Text.Chat;

/// <summary>Finds which of some tokens stands at a place of a text, in time that does not depend on how many there are: tokenizers have thousands of special tokens, and most characters begin none.</summary>
internal sealed class TokenTrie
{
    private readonly Dictionary<(int Node, char Next), int> _edges = [];
    private readonly List<string?> _ends = [null];

    /// <summary>Collects tokens, none of them empty.</summary>
    public TokenTrie(IEnumerable<string> tokens)
    {
        foreach (string token in tokens)
        {
            int node = 0;
            foreach (char next in token)
            {
                if (!_edges.TryGetValue((node, next), out int child))
                {
                    child = _ends.Count;
                    _ends.Add(null);
                    _edges.Add((node, next), child);
                }

                node = child;
            }

            _ends[node] = token;
        }
    }

    /// <summary>The longest token that a text begins with; null where it begins with none.</summary>
    public string? Longest(ReadOnlySpan<char> text)
    {
        string? found = null;
        for (int node = 0, at = 0; at < text.Length && _edges.TryGetValue((node, text[at]), out node); at++)
        {
            found = _ends[node] ?? found;
        }

        return found;
    }
}
