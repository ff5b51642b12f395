using System.Text;
using Puna.Tensors;

namespace Puna.Text.SentencePieces;

/// <summary>Reads a SentencePiece <c>tokenizer.model</c> (protocol buffer; field numbers in spec llama1-3.md 5.1).</summary>
internal static class SentencePieceReader
{
    /// <summary>Most pieces a file may have; a piece takes at least two bytes of it.</summary>
    private const int MostPieces = 4_000_000;

    /// <summary>Whether the beginning of a file looks like this format: a first piece that starts with a text.</summary>
    public static bool Recognise(ReadOnlySpan<byte> content) => content.Length > 3 && content[0] == 0x0A && content[1] > 0 && content[2] == 0x0A;

    /// <summary>Reads all pieces and settings.</summary>
    /// <exception cref="FileFormatException">The file is malformed, or asks for something that is not understood.</exception>
    public static SentencePieceModel Read(ReadOnlySpan<byte> content, string file)
    {
        var model = new SentencePieceModel();
        var reader = new ProtoReader(content, file, 0);
        while (reader.Read())
        {
            switch (reader.Field)
            {
                case 1:
                    ReadPiece(new ProtoReader(reader.Text(), file, reader.Offset), model, file);
                    break;
                case 2:
                    ReadTrainer(new ProtoReader(reader.Text(), file, reader.Offset), model);
                    break;
                case 3:
                    ReadNormalizer(new ProtoReader(reader.Text(), file, reader.Offset), model);
                    break;
                case 5:
                    ReadDenormalizer(new ProtoReader(reader.Text(), file, reader.Offset), file);
                    break;
            }
        }

        if (model.Pieces.Count == 0)
        {
            throw new FileFormatException(file, "SentencePiece model: expected pieces, got none");
        }

        model.Validate(file);
        Check(model, file);
        return model;
    }

    private static void ReadPiece(ProtoReader reader, SentencePieceModel model, string file)
    {
        byte[] piece = [];
        float score = 0;
        int type = (int)PieceType.Normal;
        while (reader.Read())
        {
            switch (reader.Field)
            {
                case 1:
                    piece = reader.Text().ToArray();
                    break;
                case 2:
                    score = reader.Float();
                    break;
                case 3:
                    type = reader.Integer();
                    break;
            }
        }

        if (piece.Length == 0 || model.Pieces.Count == MostPieces)
        {
            throw new FileFormatException(file, piece.Length == 0 ? $"piece {model.Pieces.Count}: expected a text, got none" : $"pieces: expected at most {MostPieces}, got more", reader.Offset);
        }

        model.Add(piece, score, type is >= 1 and <= 6 ? (PieceType)type : 0);
    }

    private static void ReadTrainer(ProtoReader reader, SentencePieceModel model)
    {
        while (reader.Read())
        {
            switch (reader.Field)
            {
                case 3:
                    model.ModelType = reader.Integer();
                    break;
                case 24:
                    model.SpaceAsSuffix = reader.Flag();
                    break;
                case 35:
                    model.ByteFallback = reader.Flag();
                    break;
                case 44:
                    model.UnknownSurface = Encoding.UTF8.GetString(reader.Text());
                    break;
                case >= 45 and <= 48:
                    model.RoleNames[reader.Field - 45] = Encoding.UTF8.GetString(reader.Text());
                    break;
            }
        }
    }

    private static void ReadNormalizer(ProtoReader reader, SentencePieceModel model)
    {
        while (reader.Read())
        {
            switch (reader.Field)
            {
                case 1:
                    model.NormalizerName = Encoding.UTF8.GetString(reader.Text());
                    break;
                case 2:
                    model.CharsMap = reader.Text().ToArray();
                    break;
                case 3:
                    model.AddDummyPrefix = reader.Flag();
                    break;
                case 4:
                    model.RemoveExtraWhitespaces = reader.Flag();
                    break;
                case 5:
                    model.EscapeWhitespaces = reader.Flag();
                    break;
            }
        }
    }

    private static void ReadDenormalizer(ProtoReader reader, string file)
    {
        while (reader.Read())
        {
            if (reader.Field == 2 && reader.Text().Length > 0)
            {
                throw new FileFormatException(file, "denormalizer of a SentencePiece model: expected none, got a character map", reader.Offset);
            }
        }
    }

    /// <summary>Refuses settings that are not understood.</summary>
    public static void Check(SentencePieceModel model, string file)
    {
        if (model.ModelType is not (SentencePieceModel.BytePairEncoding or SentencePieceModel.Unigram))
        {
            string name = model.ModelType switch { 3 => "words", 4 => "characters", int other => $"type {other}" };
            throw new FileFormatException(file, $"SentencePiece model: expected byte pair encoding or unigram, got {name}");
        }

        if (model.SpaceAsSuffix)
        {
            throw new FileFormatException(file, "treat_whitespace_as_suffix of a SentencePiece model: expected false, got true");
        }

        int bytes = model.Types.Count(static t => t == PieceType.Byte);
        if (model.ByteFallback ? bytes != 256 : bytes != 0)
        {
            throw new FileFormatException(file, $"byte pieces of a SentencePiece model with byte_fallback {(model.ByteFallback ? "true: expected 256" : "false: expected 0")}, got {bytes}");
        }
    }
}
