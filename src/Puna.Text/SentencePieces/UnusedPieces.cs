using Puna.Text.Vocabularies;

namespace Puna.Text.SentencePieces;

/// <summary>Splits unused pieces in the result of merging into what they were made of, down to pieces that are in use.</summary>
internal static class UnusedPieces
{
    /// <summary>Appends the ids of all symbols.</summary>
    /// <param name="text">The text that was merged.</param>
    /// <param name="starts">Where its symbols start, and the end.</param>
    /// <param name="pieces">Ids by text.</param>
    /// <param name="types">Types by id.</param>
    /// <param name="leftLengths">Bytes of the left part of each unused piece.</param>
    /// <param name="tokenizer">Spells what is no piece.</param>
    /// <param name="ids">Receives the ids.</param>
    /// <param name="before">How many ids were there before this text.</param>
    public static void Append(
        ReadOnlySpan<byte> text, ReadOnlySpan<int> starts, TokenTable pieces, IReadOnlyList<PieceType> types, Dictionary<int, int> leftLengths,
        SentencePieceTokenizer tokenizer, List<int> ids, int before)
    {
        // A stack of its own: a file may nest unused pieces deeper than the call stack goes.
        var todo = new Stack<(int Start, int End)>();
        for (int i = 0; i + 1 < starts.Length; i++)
        {
            todo.Push((starts[i], starts[i + 1]));
            while (todo.TryPop(out (int Start, int End) part))
            {
                ReadOnlySpan<byte> piece = text[part.Start..part.End];
                int id = pieces.Find(piece);
                if (id >= 0 && types[id] == PieceType.Unused && leftLengths.TryGetValue(id, out int left))
                {
                    todo.Push((part.Start + left, part.End));
                    todo.Push((part.Start, part.Start + left));
                }
                else
                {
                    tokenizer.Append(id, piece, ids, before);
                }
            }
        }
    }
}
