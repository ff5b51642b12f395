using System.Text;

namespace Puna.Text.SentencePieces;

/// <summary>Roles of pieces by their names, as SentencePiece and Meta's Code Llama look them up (spec llama1-3.md 1.4 and 5.2).</summary>
internal static class SentencePieceRoles
{
    /// <summary>The roles of a model file: BOS in front, generation ends at EOS.</summary>
    public static TokenRoles Of(SentencePieceModel model)
    {
        int? eos = Find(model, model.RoleNames[2], PieceType.Control);
        return new TokenRoles
        {
            Bos = Find(model, model.RoleNames[1], PieceType.Control),
            Eos = eos,
            Pad = Find(model, model.RoleNames[3], PieceType.Control),
            Unk = model.Types.IndexOf(PieceType.Unknown),
            FimPrefix = Find(model, "▁<PRE>", null),
            FimSuffix = Find(model, "▁<SUF>", null),
            FimMiddle = Find(model, "▁<MID>", null),
            FimEnd = Find(model, "▁<EOT>", null),
            Stop = eos is int id ? [id] : [],
            AddBos = true,
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
