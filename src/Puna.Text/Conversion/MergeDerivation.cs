using Puna.Text.SentencePieces;
using Puna.Text.Splitting;
using Puna.Text.Vocabularies;

namespace Puna.Text.Conversion;

/// <summary>Lists of merges for vocabularies that have ranks or scores instead: every way to split a token into two tokens, in the order in which they are to be joined.</summary>
internal static class MergeDerivation
{
    /// <summary>
    /// Merges of tiktoken ranks, sorted by rank of the result, of the left and of the right part (spec llama1-3.md 5.3); 280,147 for Llama 3.
    /// </summary>
    public static (List<int> Left, List<int> Right) FromRanks(TokenTable ranks)
    {
        List<int> left = new(ranks.Count * 2), right = new(ranks.Count * 2);
        var splits = new List<(int Left, int Right)>();
        for (int id = 0; id < ranks.Count; id++)
        {
            ReadOnlySpan<byte> token = ranks[id];
            splits.Clear();
            for (int at = 1; at < token.Length; at++)
            {
                if (ranks.Find(token[..at]) is >= 0 and int l && ranks.Find(token[at..]) is >= 0 and int r)
                {
                    splits.Add((l, r));
                }
            }

            splits.Sort();
            foreach ((int l, int r) in splits)
            {
                left.Add(l);
                right.Add(r);
            }
        }

        return (left, right);
    }

    /// <summary>
    /// Merges of SentencePiece scores: best score of the result first; of equal scores those with the longer left part, then the longer right part (in characters), first.
    /// Only pieces that merging can make take part.
    /// </summary>
    public static (List<int> Left, List<int> Right) FromScores(SentencePieceModel model, TokenTable pieces)
    {
        var merges = new List<(int Left, int Right, float Score, int LeftLength, int RightLength, int Order)>();
        var splits = new List<(int Left, int Right, int LeftLength, int RightLength)>();
        for (int id = 0; id < pieces.Count; id++)
        {
            if (model.Types[id] is not (PieceType.Normal or PieceType.UserDefined))
            {
                continue;
            }

            ReadOnlySpan<byte> piece = pieces[id];
            splits.Clear();
            int characters = 0;
            for (int at = 0; at < piece.Length; characters++)
            {
                at += Utf8Text.Length(piece[at]);
            }

            int before = 0;
            for (int at = 0; at < piece.Length; before++)
            {
                if (at > 0 && pieces.Find(piece[..at]) is >= 0 and int l && pieces.Find(piece[at..]) is >= 0 and int r)
                {
                    splits.Add((l, r, before, characters - before));
                }

                at += Utf8Text.Length(piece[at]);
            }

            splits.Sort();
            foreach ((int l, int r, int leftLength, int rightLength) in splits)
            {
                merges.Add((l, r, model.Scores[id], leftLength, rightLength, merges.Count));
            }
        }

        merges.Sort(static (a, b) =>
            a.Score != b.Score ? b.Score.CompareTo(a.Score)
            : a.LeftLength != b.LeftLength ? b.LeftLength.CompareTo(a.LeftLength)
            : a.RightLength != b.RightLength ? b.RightLength.CompareTo(a.RightLength)
            : a.Order.CompareTo(b.Order));
        return ([.. merges.Select(static m => m.Left)], [.. merges.Select(static m => m.Right)]);
    }
}
