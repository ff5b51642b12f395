using Puna.Tests.Shared;
using Puna.Text.Tiktoken;

namespace Puna.Text.Tests.Tiktoken;

public class TiktokenTokenizerTests
{
    [Theory]
    [InlineData("llama3")]
    [InlineData("llama4")]
    public void Golden_lines_encode_and_decode_as_tiktoken_does(string name)
    {
        Tokenizer tokenizer = Open(name);
        GoldenLine.All(GoldenLine.Read(TestFiles.Golden("tokenizers", name + ".jsonl")), line =>
            GoldenLine.Differ(line.Ids, tokenizer.Encode(line.Text))
            ?? GoldenLine.Differ(line.IdsSpecialAllowed ?? line.Ids, tokenizer.Encode(line.Text, SpecialTokens.All))
            ?? GoldenLine.Differ(line.Text, tokenizer.Decode(line.Ids))
            ?? GoldenLine.Differ(line.Text, tokenizer.Decode(line.IdsSpecialAllowed ?? line.Ids)));
    }

    private static TiktokenTokenizer Open(string name)
    {
        string path = TestFiles.Asset(name, "tokenizer.model");
        return TiktokenTokenizer.Read(File.ReadAllBytes(path), path);
    }
}
