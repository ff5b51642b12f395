using System.IO.Compression;
using System.Text;
using Puna.Tensors;
using Puna.Text;
using Puna.Text.Chat;
using Puna.Training.Recipes;

namespace Puna.Training.Tests.Recipes;

/// <summary>A config becomes a folder with a tokenizer, or one line that says why not.</summary>
public sealed class TokenizerRecipeTests : IDisposable
{
    private const string Text = "the cat sat on the mat, the other cat sat on the other mat\nand 12 cats sat there too\n";
    private readonly string _folder = Directory.CreateTempSubdirectory("puna-recipe-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string Out => Path.Combine(_folder, "deep", "out");

    [Fact]
    public void SentencePiece()
    {
        File.WriteAllText(Path.Combine(_folder, "a.txt"), Text);
        string summary = Run("""{"kind":"sentencepiece","inputs":["a.txt"],"vocab_size":290,"coverage":1,"split_digits":false,"max_piece_length":4,"control_symbols":["<sep>"]}""");
        Tokenizer tokenizer = TokenizerLoader.Open(Out);
        Assert.Equal((TokenizerKind.SentencePiece, 290), (tokenizer.Kind, tokenizer.VocabularySize));
        Assert.Equal((1, 2, 0, 3), (tokenizer.BosId, tokenizer.EosId, tokenizer.UnkId, tokenizer.IdOf("<sep>")));
        Assert.Equal("the cat", tokenizer.Decode(tokenizer.Encode("the cat")));
        Assert.All(Enumerable.Range(260, 30), id => Assert.True(tokenizer.Piece(id).Length <= 4));
        Assert.StartsWith("sentencepiece tokenizer of 290 pieces (", summary, StringComparison.Ordinal);
        Assert.Contains($"{Text.Length} bytes in 1 texts", summary, StringComparison.Ordinal);
    }

    /// <summary>As the embedded model wants it: few special tokens, the message frame of Llama 3.</summary>
    [Fact]
    public void Byte_BPE_with_the_chat_frame_of_Llama_3()
    {
        using (var packed = new GZipStream(File.Create(Path.Combine(_folder, "a.jsonl.gz")), CompressionLevel.Fastest))
        {
            packed.Write(Encoding.UTF8.GetBytes($$"""{"text":"{{Text.ReplaceLineEndings("\\n")}}"}""" + "\n" + """{"text":"more cats"}"""));
        }

        string summary = Run("""{"kind":"byte-bpe","inputs":["a.jsonl.gz"],"vocab_size":280,"special_count":12,"chat_format":"llama3"}""");
        Tokenizer tokenizer = TokenizerLoader.Open(Out);
        Assert.Equal(292, tokenizer.VocabularySize);
        Assert.Equal((280, 281, 289, true), (tokenizer.BosId, tokenizer.EosId, tokenizer.EotId, tokenizer.AddBos));
        string? template = ChatTemplateFile.Find(Out);
        Assert.Same(Llama3ChatFormat.Llama31, ChatFormats.Detect(template, tokenizer).Format);
        Assert.Contains("in 2 texts", summary, StringComparison.Ordinal);
        Assert.DoesNotContain("only", summary, StringComparison.Ordinal);
    }

    [Fact]
    public void Own_special_tokens_and_pattern()
    {
        File.WriteAllText(Path.Combine(_folder, "a.txt"), Text);
        string summary = Run("""{"kind":"byte-bpe","inputs":["a.txt"],"vocab_size":5000,"special_tokens":["<a>","<b>"],"pattern":"\\w+|\\W+","max_bytes":20,"max_piece_length":3}""");
        Tokenizer tokenizer = TokenizerLoader.Open(Out);
        int size = tokenizer.VocabularySize - 2;
        Assert.Equal((size, size + 1), (tokenizer.IdOf("<a>"), tokenizer.IdOf("<b>")));
        Assert.False(tokenizer.AddBos);
        Assert.Contains("20 bytes in 1 texts", summary, StringComparison.Ordinal);
        Assert.Contains($"only {size} of the 5000 asked for", summary, StringComparison.Ordinal);
        Assert.Equal(["tokenizer.json", "tokenizer_config.json"], Directory.GetFiles(Out).Select(static f => Path.GetFileName(f)).Order(StringComparer.Ordinal));
    }

    /// <summary>A finished tokenizer is not overwritten, neither by its like nor by half of another kind; there is nothing to go on with, either.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_folder_with_a_tokenizer_is_refused(bool resume)
    {
        File.WriteAllText(Path.Combine(_folder, "a.txt"), Text);
        const string Bytes = """{"kind":"byte-bpe","inputs":["a.txt"],"vocab_size":270}""", Pieces = """{"kind":"sentencepiece","inputs":["a.txt"],"vocab_size":290,"coverage":1}""";
        Run(Bytes, resume);
        string[] files = Files();
        Assert.StartsWith($"output {Path.Combine(Out, "tokenizer.model")}: ", Assert.Throws<PunaException>(() => Run(Bytes, resume)).Message, StringComparison.Ordinal);
        Assert.Contains("expected a folder without a tokenizer", Assert.Throws<PunaException>(() => Run(Pieces, resume)).Message, StringComparison.Ordinal);
        Assert.Equal(files, Files());

        string[] Files() => [.. Directory.GetFiles(Out).Order(StringComparer.Ordinal).Select(static f => Path.GetFileName(f) + Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(f))))];
    }

    [Theory]
    [InlineData("""{"kind":"byte-bpe","inputs":["a.txt"],"vocab_size":300,"vocabulary":1}""", "vocabulary")]
    [InlineData("""{"kind":"byte-bpe","inputs":["a.txt"],"vocab_size":300,"vocab_size":301}""", "vocab_size")]
    [InlineData("""{"kind":"byte-bpe","vocab_size":300}""", "inputs")]
    [InlineData("""{"kind":"unigram","inputs":["a.txt"],"vocab_size":300}""", "kind: expected sentencepiece or byte-bpe, got unigram")]
    [InlineData("""{"kind":null,"inputs":["a.txt"],"vocab_size":300}""", "kind")]
    [InlineData("""{"kind":"byte-bpe","inputs":[],"vocab_size":300}""", "inputs: expected one file or more")]
    [InlineData("""{"kind":"byte-bpe","inputs":null,"vocab_size":300}""", "inputs")]
    [InlineData("""{"kind":"byte-bpe","inputs":[null],"vocab_size":300}""", "inputs")]
    [InlineData("""{"kind":"byte-bpe","inputs":["a.txt"],"vocab_size":0}""", "vocab_size: expected 1 to 4000000, got 0")]
    [InlineData("""{"kind":"byte-bpe","inputs":["a.txt"],"vocab_size":255}""", "expected at least 256")]
    [InlineData("""{"kind":"byte-bpe","inputs":["a.txt"],"vocab_size":300,"max_bytes":0}""", "max_bytes: expected above 0")]
    [InlineData("""{"kind":"byte-bpe","inputs":["a.txt"],"vocab_size":300,"coverage":1}""", "coverage: expected only with kind sentencepiece")]
    [InlineData("""{"kind":"sentencepiece","inputs":["a.txt"],"vocab_size":300,"pattern":"llama3"}""", "pattern: expected only with kind byte-bpe")]
    [InlineData("""{"kind":"byte-bpe","inputs":["a.txt"],"vocab_size":300,"special_count":257}""", "special_count: expected 0 to 256")]
    [InlineData("""{"kind":"byte-bpe","inputs":["a.txt"],"vocab_size":300,"special_count":2,"special_tokens":["<a>"]}""", "special_count")]
    [InlineData("""{"kind":"byte-bpe","inputs":["a.txt"],"vocab_size":300,"special_tokens":[null]}""", "special_tokens")]
    [InlineData("""{"kind":"byte-bpe","inputs":["a.txt"],"vocab_size":300,"chat_format":"llama2"}""", "chat_format: expected llama3, got llama2")]
    [InlineData("""{"kind":"byte-bpe","inputs":["a.txt"],"vocab_size":300,"special_count":3,"chat_format":"llama3"}""", "chat_format")]
    [InlineData("""{"kind":"byte-bpe","inputs":["a.txt"],"vocab_size":300,"pattern":"("}""", "(")]
    [InlineData("""{"kind":"byte-bpe","inputs":["none.txt"],"vocab_size":300}""", "nothing there")]
    [InlineData("""{"kind":"byte-bpe","inputs":["a.csv"],"vocab_size":300}""", ".jsonl")]
    [InlineData("""{"kind":"byte-bpe","inputs":["empty.txt"],"vocab_size":300}""", "expected some characters, got none")]
    [InlineData("""{"kind":"byte-bpe","inputs":["a.txt","bad.txt"],"vocab_size":300}""", "bad.txt: expected UTF-8, got byte 0xFF (at byte 2)")]
    [InlineData("""{"kind":"sentencepiece","inputs":["a.txt"],"vocab_size":260}""", "tokenizer size: expected at least")]
    [InlineData("""{"kind":"sentencepiece","inputs":["a.txt"],"vocab_size":300,"coverage":0}""", "tokenizer coverage")]
    public void Anything_wrong_is_one_line_and_leaves_nothing(string config, string expected)
    {
        File.WriteAllText(Path.Combine(_folder, "a.txt"), Text);
        File.WriteAllText(Path.Combine(_folder, "empty.txt"), "");
        File.WriteAllBytes(Path.Combine(_folder, "bad.txt"), [0x61, 0x62, 0xFF]);
        string message = Assert.Throws<PunaException>(() => Run(config)).Message;
        Assert.Contains(expected, message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
        Assert.False(Directory.Exists(Path.Combine(_folder, "deep")));
    }

    [Fact]
    public void Stopping_leaves_nothing()
    {
        File.WriteAllText(Path.Combine(_folder, "a.txt"), Text);
        Assert.ThrowsAny<OperationCanceledException>(() => Run("""{"kind":"byte-bpe","inputs":["a.txt"],"vocab_size":300}""", stopped: true));
        Assert.False(Directory.Exists(Out));
    }

    private string Run(string config, bool resume = false, bool stopped = false)
    {
        string path = Path.Combine(_folder, "config.json");
        File.WriteAllText(path, config);
        return new TokenizerRecipe().Run(new RecipeRequest(path, Out, resume, 2), SilentReport.Instance, new CancellationToken(stopped));
    }
}
