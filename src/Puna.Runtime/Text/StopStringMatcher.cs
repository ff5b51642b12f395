using System.Text;
using Puna.Tensors;

namespace Puna.Runtime.Text;

/// <summary>
/// Looks for stop strings in text that comes in pieces, however the pieces are cut: passes on what cannot be part of a stop string, holds back
/// what may be the beginning of one, and ends before the first one found. Time is linear in the text (Aho, Corasick: Efficient string matching, 1975),
/// and nothing is allocated per piece.
/// </summary>
/// <remarks>
/// First found means completed first; of several completed by the same character the longest counts. So the result does not depend on how the
/// text is cut. Comparison is ordinal, by UTF-16 unit. The held-back text is always the beginning of a stop string and needs no memory of its own.
/// </remarks>
public sealed class StopStringMatcher
{
    private const int Root = 0;

    private readonly string[] _stops;
    private readonly Dictionary<(int Node, char Next), int> _children = [];
    private readonly List<Node> _nodes = [new(0, 0)];
    private int _node = Root;
    private int _found = -1;

    /// <summary>Prepares to look for some strings.</summary>
    /// <param name="stops">None, one or several; doubles are harmless.</param>
    /// <exception cref="PunaException">A stop string is empty or no well-formed Unicode text.</exception>
    public StopStringMatcher(IEnumerable<string> stops)
    {
        _stops = [.. stops];
        for (int i = 0; i < _stops.Length; i++)
        {
            if (string.IsNullOrEmpty(_stops[i]))
                throw new PunaException($"stop string {i + 1}: expected text, got none");
            // Half a surrogate pair could only ever match by cutting a character of the text in two.
            if (!IsWellFormed(_stops[i]))
                throw new PunaException($"stop string {i + 1}: expected well-formed Unicode, got half a surrogate pair");
            AddToTrie(i);
        }

        LinkSuffixes();
    }

    /// <summary>Whether a stop string has been found; then all further text is ignored.</summary>
    public bool IsStopped => _found >= 0;

    /// <summary>The stop string found, or null.</summary>
    public string? Found => _found >= 0 ? _stops[_found] : null;

    /// <summary>How many characters are held back at present.</summary>
    public int Held => IsStopped ? 0 : _nodes[_node].Depth;

    /// <summary>Takes the next piece of text.</summary>
    /// <param name="piece">Any length.</param>
    /// <param name="output">Receives the text that is now known to come before any stop string.</param>
    /// <returns>True once a stop string has been found.</returns>
    public bool Push(ReadOnlySpan<char> piece, StringBuilder output)
    {
        if (_stops.Length == 0)
        {
            output.Append(piece);
            return false;
        }

        foreach (char next in piece)
        {
            if (IsStopped)
                return true;
            int from = _node;
            _node = Step(from, next);
            // Held before and the new character, less what is held now, goes out; what was held is the beginning of a stop string.
            Node before = _nodes[from], now = _nodes[_node];
            int released = before.Depth + 1 - now.Depth;
            if (released > before.Depth)
                output.Append(_stops[before.Stop], 0, before.Depth).Append(next);
            else
                output.Append(_stops[before.Stop], 0, released);
            if (now.Ends >= 0)
            {
                // The stop string may have begun after the text held for a longer one: what comes before it goes out.
                output.Append(_stops[now.Stop], 0, now.Depth - _stops[now.Ends].Length);
                _found = now.Ends;
            }
        }

        return IsStopped;
    }

    /// <summary>Takes the next piece of text and returns what may be passed on.</summary>
    public string Push(string piece)
    {
        var output = new StringBuilder();
        Push(piece, output);
        return output.ToString();
    }

    /// <summary>Ends the text: returns what was held back, which was no stop string after all. Afterwards the matcher is as new, unless it has stopped.</summary>
    public string Flush()
    {
        string rest = IsStopped ? "" : _stops.Length == 0 ? "" : _stops[_nodes[_node].Stop][..Held];
        _node = Root;
        return rest;
    }

    private static bool IsWellFormed(string text)
    {
        for (int i = 0; i < text.Length; i++)
        {
            if (!char.IsSurrogate(text[i]))
                continue;
            if (i + 1 == text.Length || !char.IsSurrogatePair(text[i], text[i + 1]))
                return false;
            i++;
        }

        return true;
    }

    private void AddToTrie(int stop)
    {
        int node = Root;
        string text = _stops[stop];
        for (int i = 0; i < text.Length; i++)
        {
            if (!_children.TryGetValue((node, text[i]), out int child))
            {
                child = _nodes.Count;
                _nodes.Add(new Node(stop, i + 1));
                _children.Add((node, text[i]), child);
            }

            node = child;
        }

        _nodes[node] = _nodes[node] with { Ends = stop };
    }

    // Nodes are visited by depth, so that the shorter suffix a node falls back to is always ready.
    private void LinkSuffixes()
    {
        var edges = new List<(int Parent, char Next, int Child)>(_children.Count);
        foreach (((int parent, char next), int child) in _children)
            edges.Add((parent, next, child));
        edges.Sort((a, b) => _nodes[a.Child].Depth.CompareTo(_nodes[b.Child].Depth));
        foreach ((int parent, char next, int child) in edges)
        {
            int suffix = parent == Root ? Root : Step(_nodes[parent].Suffix, next);
            Node node = _nodes[child];
            _nodes[child] = node with { Suffix = suffix, Ends = node.Ends >= 0 ? node.Ends : _nodes[suffix].Ends };
        }
    }

    private int Step(int node, char next)
    {
        int child;
        while (!_children.TryGetValue((node, next), out child))
        {
            if (node == Root)
                return Root;
            node = _nodes[node].Suffix;
        }

        return child;
    }

    /// <summary>A beginning of a stop string: <paramref name="Depth"/> characters of number <paramref name="Stop"/>.</summary>
    private readonly record struct Node(int Stop, int Depth)
    {
        /// <summary>The longest proper suffix of it that is a beginning too.</summary>
        public int Suffix { get; init; }

        /// <summary>The longest stop string that ends here, or -1.</summary>
        public int Ends { get; init; } = -1;
    }
}
