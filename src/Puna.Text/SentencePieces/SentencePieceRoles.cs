using System.Text;

namespace Puna.Text.SentencePieces;

/// <summary>Roles of pieces by their names, as SentencePiece and Meta's Code Llama look them up (spec llama1-3.md 1.4 and 5.2).</summary>
internal static class SentencePieceRoles
{
    /// <summary>The roles of a model file: BOS in front, generation ends at EOS.</summary>
    public static TokenRoles Of(SentencePieceModel model)
    {
        // DeBERTa's names, for a file that does not say which pieces play which part: its texts stand between the two.
        bool unigram = model.ModelType == SentencePieceModel.Unigram;
        int? bos = Find(model, model.RoleNames[1], PieceType.Control) ?? (unigram ? Find(model, "[CLS]", PieceType.Control) : null);
        int? eos = Find(model, model.RoleNames[2], PieceType.Control) ?? (unigram ? Find(model, "[SEP]", PieceType.Control) : null);
        return new TokenRoles
        {
            Bos = bos,
            Eos = eos,
            Pad = Find(model, model.RoleNames[3], PieceType.Control) ?? (unigram ? Find(model, "[PAD]", PieceType.Control) : null),
            Unk = model.Types.IndexOf(PieceType.Unknown),
            FimPrefix = Find(model, "▁<PRE>", null),
            FimSuffix = Find(model, "▁<SUF>", null),
            FimMiddle = Find(model, "▁<MID>", null),
            FimEnd = Find(model, "▁<EOT>", null),
            Stop = eos is int id ? [id] : [],
            AddBos = !unigram || bos is int first && model.Pieces[first].AsSpan().SequenceEqual("[CLS]"u8),
            AddEos = unigram && eos is int last && model.Pieces[last].AsSpan().SequenceEqual("[SEP]"u8),
        };
    }

    private static int? Find(SentencePieceModel model, string name, PieceType? type)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(name);
        for (int i = 0; i < model.Pieces.Count; i++)
        {
            if (bytes.AsSpan().SequenceEqual(model.Pieces[i]) && (type is null || model.Types[i] == type))
            {
                return i;
            }
        }

        return null;
    }
}
