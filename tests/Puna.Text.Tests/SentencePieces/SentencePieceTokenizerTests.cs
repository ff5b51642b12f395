using Puna.Tests.Shared;
using Puna.Text.SentencePieces;

namespace Puna.Text.Tests.SentencePieces;

public class SentencePieceTokenizerTests
{
    [Fact]
    public void Golden_lines_of_llama2_encode_and_decode_as_SentencePiece_does() =>
        Check(Open(TestFiles.Asset("llama2", "tokenizer.model")), TestFiles.Golden("tokenizers", "llama2.jsonl"));

    [Fact]
    public void Golden_lines_of_tiny_spm_encode_and_decode_as_SentencePiece_does() =>
        Check(Open(TestFiles.Golden("tokenizers", "tiny-spm", "tokenizer.model")), TestFiles.Golden("tokenizers", "tiny-spm", "golden.jsonl"));

    private static void Check(Tokenizer tokenizer, string golden) =>
        GoldenLine.All(GoldenLine.Read(golden), line =>
            GoldenLine.Differ(line.Ids, tokenizer.Encode(line.Text)) ?? GoldenLine.Differ(line.Decoded!, tokenizer.Decode(line.Ids)));

    private static SentencePieceTokenizer Open(string path) => SentencePieceTokenizer.Read(File.ReadAllBytes(path), path);
}
