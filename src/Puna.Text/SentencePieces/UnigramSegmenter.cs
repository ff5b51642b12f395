using System.Buffers;
using Puna.Text.Splitting;

namespace Puna.Text.SentencePieces;

/// <summary>
/// Cuts a text into the pieces of the greatest total score (Viterbi; spec llama1-3.md 5.5 step 3). A character that is no piece may be taken as unknown, which costs 10 more than the worst
/// piece. Of equal sums the one whose last piece is longer stays. Filled once, then shared by any number of threads.
/// </summary>
/// <param name="single">Whether sums are rounded to float32 after every piece, as SentencePiece does it; otherwise they are double, as in Hugging Face's tokenizers.</param>
internal sealed class UnigramSegmenter(bool single)
{
    private const double UnknownPenalty = 10;

    private readonly PieceTrie _trie = new();
    private double[] _scores = [];
    private double _unknown = -UnknownPenalty;

    /// <summary>Says what an unknown character costs.</summary>
    /// <param name="worst">Score of the worst piece.</param>
    public void SetWorst(double worst) => _unknown = single ? (float)worst - (float)UnknownPenalty : worst - UnknownPenalty;

    /// <summary>Adds a piece that text may become.</summary>
    public void Add(ReadOnlySpan<byte> piece, int id, double score)
    {
        if (id >= _scores.Length)
        {
            Array.Resize(ref _scores, Math.Max(id + 1, _scores.Length * 2));
        }

        _scores[id] = score;
        _trie.Add(piece, id);
    }

    /// <summary>Cuts well-formed UTF-8.</summary>
    /// <param name="text">The text, normalised.</param>
    /// <param name="ids">Receives the id of each piece, -1 for a character that is none; as long as the text.</param>
    /// <param name="ends">Receives the end of each piece; as long as the text.</param>
    /// <returns>Number of pieces.</returns>
    public int Cut(ReadOnlySpan<byte> text, Span<int> ids, Span<int> ends)
    {
        int size = text.Length + 1;
        double[] best = ArrayPool<double>.Shared.Rent(size);
        int[] starts = ArrayPool<int>.Shared.Rent(size);
        int[] last = ArrayPool<int>.Shared.Rent(size);
        Array.Fill(starts, -1, 0, size);
        best[0] = 0;
        for (int at = 0; at < text.Length;)
        {
            int character = Utf8Text.Length(text[at]);
            bool known = false;
            for (int node = 0, end = at; end < text.Length;)
            {
                node = _trie.Child(node, text[end++]);
                if (node < 0)
                {
                    break;
                }

                int id = _trie.IdAt(node);
                if (id >= 0)
                {
                    Take(at, end, id, _scores[id]);
                    known |= end == at + character;
                }
            }

            if (!known)
            {
                Take(at, at + character, -1, _unknown);
            }

            at += character;
        }

        int count = 0;
        for (int end = text.Length; end > 0; end = starts[end])
        {
            (ids[count], ends[count++]) = (last[end], end);
        }

        ids[..count].Reverse();
        ends[..count].Reverse();
        ArrayPool<double>.Shared.Return(best);
        ArrayPool<int>.Shared.Return(starts);
        ArrayPool<int>.Shared.Return(last);
        return count;

        void Take(int start, int end, int id, double score)
        {
            double sum = score + best[start];
            if (starts[end] < 0 || sum > best[end])
            {
                (best[end], starts[end], last[end]) = (single ? (float)sum : sum, start, id);
            }
        }
    }
}
