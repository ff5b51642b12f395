using Puna.Tests.Shared;
using Puna.Text.HuggingFace;

namespace Puna.Text.Tests.HuggingFace;

public class TokenizerJsonTests
{
    [Theory]
    [InlineData("tiny-spm-json", TokenizerKind.MergedPieces)]
    [InlineData("tiny-byte-bpe", TokenizerKind.ByteLevel)]
    public void Golden_lines_encode_and_decode_as_the_tokenizers_library_does(string name, TokenizerKind kind)
    {
        string path = TestFiles.Golden("tokenizers", name, "tokenizer.json");
        Tokenizer tokenizer = TokenizerJsonReader.Read(File.ReadAllBytes(path), path);
        Assert.Equal(kind, tokenizer.Kind);

        // The reference always recognises special tokens in a text; here the caller has to allow them.
        GoldenLine.All(GoldenLine.Read(TestFiles.Golden("tokenizers", name, "golden.jsonl")), line =>
            GoldenLine.Differ(line.Ids, tokenizer.Encode(line.Text, SpecialTokens.All)) ?? GoldenLine.Differ(line.Decoded!, tokenizer.Decode(line.Ids)));
    }
}
