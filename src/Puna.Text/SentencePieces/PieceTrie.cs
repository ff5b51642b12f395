using Puna.Text.Vocabularies;

namespace Puna.Text.SentencePieces;

/// <summary>Pieces by their beginnings, so that all pieces that start at a place of a text are found in one walk. Edges are in one open-addressing table.</summary>
internal sealed class PieceTrie
{
    private readonly List<int> _ids = [-1];
    private ulong[] _edges = new ulong[1 << 10];
    private int[] _children = new int[1 << 10];

    /// <summary>Adds a piece; of equal ones the last counts.</summary>
    /// <param name="piece">At least one byte.</param>
    /// <param name="id">What is found for it.</param>
    public void Add(ReadOnlySpan<byte> piece, int id)
    {
        int node = 0;
        foreach (byte b in piece)
        {
            int child = Child(node, b);
            if (child < 0)
            {
                child = _ids.Count;
                _ids.Add(-1);
                Insert(node, b, child);
            }

            node = child;
        }

        _ids[node] = id;
    }

    /// <summary>The node one byte further, or -1; the root is 0.</summary>
    public int Child(int node, byte b)
    {
        ulong edge = Edge(node, b);
        int mask = _edges.Length - 1;
        for (int i = (int)ByteHash.Of(edge) & mask; _edges[i] != 0; i = (i + 1) & mask)
        {
            if (_edges[i] == edge)
            {
                return _children[i];
            }
        }

        return -1;
    }

    /// <summary>The id of the piece that ends at a node, or -1.</summary>
    public int IdAt(int node) => _ids[node];

    // Never zero, which marks a free place.
    private static ulong Edge(int node, byte b) => (((ulong)(uint)node << 8) | b) + 1;

    private void Insert(int node, byte b, int child)
    {
        if (_ids.Count * 2L > _edges.Length)
        {
            (ulong[] edges, int[] children) = (_edges, _children);
            _edges = new ulong[checked(edges.Length * 2)];
            _children = new int[_edges.Length];
            for (int i = 0; i < edges.Length; i++)
            {
                if (edges[i] != 0)
                {
                    Place(edges[i], children[i]);
                }
            }
        }

        Place(Edge(node, b), child);
    }

    private void Place(ulong edge, int child)
    {
        int mask = _edges.Length - 1;
        int i = (int)ByteHash.Of(edge) & mask;
        while (_edges[i] != 0)
        {
            i = (i + 1) & mask;
        }

        (_edges[i], _children[i]) = (edge, child);
    }
}
