namespace Puna.Runtime.Constraints;

/// <summary>A tree of tokens by their bytes, in depth-first order: node i's subtree is [i, Skip[i]).</summary>
internal sealed class TokenTree
{
    public TokenTree(byte[][] bytes, List<int> tokens)
    {
        int[] sorted = [.. tokens];
        Array.Sort(sorted, (a, b) =>
        {
            int order = bytes[a].AsSpan().SequenceCompareTo(bytes[b]);
            return order != 0 ? order : a.CompareTo(b);
        });
        var label = new List<byte>();
        var depth = new List<ushort>();
        var token = new List<int>();
        SameAs = new int[bytes.Length];
        Array.Fill(SameAs, -1);
        byte[] last = [];
        foreach (int t in sorted)
        {
            byte[] current = bytes[t];
            int common = current.AsSpan().CommonPrefixLength(last);
            if (common == current.Length)
            {
                // The bytes of the token before: chained to it.
                SameAs[t] = token[^1];
                token[^1] = t;
                continue;
            }

            for (int i = common; i < current.Length; i++)
            {
                label.Add(current[i]);
                depth.Add((ushort)Math.Min(i, ushort.MaxValue));
                token.Add(i == current.Length - 1 ? t : -1);
            }

            last = current;
        }

        Label = [.. label];
        Depth = [.. depth];
        Token = [.. token];
        Skip = new int[Label.Length];
        MaxDepth = 0;
        var open = new Stack<int>();
        for (int i = 0; i < Label.Length; i++)
        {
            while (open.TryPeek(out int top) && Depth[top] >= Depth[i])
            {
                Skip[open.Pop()] = i;
            }

            open.Push(i);
            MaxDepth = Math.Max(MaxDepth, Depth[i] + 1);
        }

        foreach (int i in open)
        {
            Skip[i] = Label.Length;
        }
    }

    public byte[] Label { get; }

    public ushort[] Depth { get; }

    /// <summary>The token that ends at a node, or -1; <see cref="SameAs"/> chains others of the same bytes.</summary>
    public int[] Token { get; }

    public int[] Skip { get; }

    /// <summary>By token: another one of the same bytes, or -1.</summary>
    public int[] SameAs { get; }

    public int MaxDepth { get; }
}
