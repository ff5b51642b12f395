using System.Text;
using Puna.Tensors;
using Puna.Text.HuggingFace;
using Puna.Text.SentencePieces;
using Puna.Text.Vocabularies;

namespace Puna.Text.Conversion;

/// <summary>A Llama 2 style <c>tokenizer.json</c> as a SentencePiece model: the place of a piece in the list of merges becomes its score.</summary>
internal static class PieceModels
{
    /// <summary>Makes the model.</summary>
    /// <exception cref="PunaException">The tokenizer does something SentencePiece has no setting for.</exception>
    public static SentencePieceModel From(MergedPiecesTokenizer tokenizer)
    {
        TokenizerParts parts = tokenizer.Parts;
        if (parts.Scores is not null)
        {
            throw new PunaException("tokenizer: expected a list of merges to write as a SentencePiece model, got a unigram model");
        }

        var model = new SentencePieceModel
        {
            ModelType = SentencePieceModel.BytePairEncoding,
            NormalizerName = "identity",
            ByteFallback = parts.ByteFallback,
            AddDummyPrefix = AddsPrefix(parts),
            RemoveExtraWhitespaces = false,
        };
        float[] scores = Scores(parts.Vocabulary.Merges, tokenizer.VocabularySize);
        for (int id = 0; id < tokenizer.VocabularySize; id++)
        {
            AddedToken? added = tokenizer.Added(id);
            string piece = tokenizer.Piece(id);
            bool isByte = added is null && parts.ByteFallback && SentencePieceModel.ByteValue(Encoding.UTF8.GetBytes(piece)) >= 0;
            PieceType type = id == parts.Unknown ? PieceType.Unknown
                : added is not null ? (added.Special ? PieceType.Control : PieceType.UserDefined)
                : isByte ? PieceType.Byte
                : piece.Length == 0 ? PieceType.Unused
                : PieceType.Normal;
            model.Add(Encoding.UTF8.GetBytes(piece.Length == 0 ? $"[PAD{id}]" : piece), scores[id], type);
        }

        if (parts.Unknown < 0)
        {
            throw new PunaException("tokenizer: expected an unknown token for a SentencePiece vocabulary, got none");
        }

        model.RoleNames[0] = tokenizer.Piece(parts.Unknown);
        model.RoleNames[1] = tokenizer.BosId is int bos ? tokenizer.Piece(bos) : model.RoleNames[1];
        model.RoleNames[2] = tokenizer.EosId is int eos ? tokenizer.Piece(eos) : model.RoleNames[2];
        return model;
    }

    /// <summary>Whether <see cref="From"/> can make a model that a SentencePiece reader accepts.</summary>
    public static bool CanBeMade(MergedPiecesTokenizer tokenizer)
    {
        try
        {
            SentencePieceReader.Check(From(tokenizer), "tokenizer");
            return true;
        }
        catch (PunaException)
        {
            return false;
        }
    }

    /// <summary>Minus the first place in which a merge makes the piece; behind all merges for those that no merge makes.</summary>
    private static float[] Scores(PairTable merges, int size)
    {
        float[] scores = new float[size];
        for (int rank = merges.Count - 1; rank >= 0; rank--)
        {
            if (merges.Left(rank) >= 0)
            {
                scores[merges.Merged(rank)] = -rank - 1;
            }
        }

        return scores;
    }

    /// <summary>Whether ▁ is put in front; the two forms in use are known, any other normaliser or split is refused.</summary>
    private static bool AddsPrefix(TokenizerParts parts)
    {
        const string Mark = "▁";
        if (parts.Metaspace is Metaspace metaspace)
        {
            if (parts.Normalizer.IsIdentity && parts.Splitter.IsWhole && Encoding.UTF8.GetString(metaspace.Mark) == Mark)
            {
                return metaspace.Scheme != PrependScheme.Never;
            }
        }
        else if (parts.Splitter.IsWhole && parts.Normalizer.SpaceMark == Mark && parts.Normalizer.Prefix is "" or Mark)
        {
            return parts.Normalizer.Prefix == Mark;
        }

        throw new PunaException($"tokenizer: expected ▁ for spaces and no other change of the text for a SentencePiece vocabulary, got {parts.Json.Normalizer} and {parts.Json.PreTokenizer}");
    }
}
