using System.IO.Compression;
using System.Text;
using Puna.Tensors;
using Puna.Training.Data;

namespace Puna.Training.Tests.Data;

/// <summary>Files become documents, and files that are not what they should be become one line that says where.</summary>
public sealed class DocumentReaderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("a\nb\n\nc\n \t\n\n\nd", TextSplit.Paragraph, "a\nb|c|d")]
    [InlineData("a\r\nb\r\n\r\nc\r\n", TextSplit.Paragraph, "a\nb|c")]
    [InlineData("a\n\nb\n", TextSplit.File, "a\n\nb")]
    [InlineData("", TextSplit.Paragraph, "")]
    [InlineData("", TextSplit.File, "")]
    [InlineData("\n\n\n", TextSplit.Paragraph, "")]
    [InlineData("\uFEFFa", TextSplit.File, "a")]
    public void TextFiles(string text, TextSplit split, string expected)
    {
        string plain = Write("a.txt", text), packed = Write("a.txt.gz", text);
        var reader = new DocumentReader { TextSplit = split };
        Assert.Equal(expected, string.Join('|', reader.Read(plain).Select(d => d.Text)));
        Assert.Equal(expected, string.Join('|', reader.Read(packed).Select(d => d.Text)));
    }

    [Fact]
    public void JsonLines()
    {
        string path = Write("a.jsonl", """
            {"text":"one","source":"web","lang":"en"}

            {"id":[1,{"text":"not this"}],"text":"t\u00e4\nwo","language":null}
            {"language":"de","text":""}
            """);
        RawDocument[] documents = [.. new DocumentReader().Read(path)];
        Assert.Equal(
            [new RawDocument("one", "web", "en", 1, false), new RawDocument("tä\nwo", null, null, 3, false), new RawDocument("", null, "de", 4, false)],
            documents);
    }

    [Theory]
    [InlineData("{\"text\":1}")]
    [InlineData("{\"txt\":\"a\"}")]
    [InlineData("[1]")]
    [InlineData("{\"text\":\"a\"} x")]
    [InlineData("{\"text\":\"a\"")]
    [InlineData("{\"text\":\"\\ud800\"}")]
    [InlineData("{\"text\":\"a\",\"source\":3}")]
    [InlineData("nonsense")]
    public void ALineThatIsNoDocumentIsNamedOrPassedOn(string line)
    {
        string path = Write("a.jsonl", "{\"text\":\"a\"}\n" + line + "\n{\"text\":\"b\"}\n");
        PunaException e = Assert.Throws<PunaException>(() => new DocumentReader().Read(path).Count());
        Assert.StartsWith($"line 2 of {path}: expected ", e.Message, StringComparison.Ordinal);
        RawDocument[] documents = [.. new DocumentReader { PassProblems = true }.Read(path)];
        Assert.Equal(["a", "", "b"], documents.Select(d => d.Text));
        Assert.NotNull(documents[1].Problem);
    }

    [Fact]
    public void IllFormedUtf8IsReplacedAndSaid()
    {
        string path = _folder.File("a.jsonl");
        File.WriteAllBytes(path, [.. "{\"text\":\"a"u8, 0xFF, .. "b\"}\n"u8]);
        RawDocument document = Assert.Single(new DocumentReader().Read(path));
        Assert.Equal("a\uFFFDb", document.Text);
        Assert.True(document.Repaired);
        File.WriteAllBytes(path = _folder.File("a.txt"), [0x61, 0xC3]);
        document = Assert.Single(new DocumentReader().Read(path));
        Assert.Equal("a\uFFFD", document.Text);
        Assert.True(document.Repaired);
    }

    [Theory]
    [InlineData("a.txt")]
    [InlineData("a.jsonl")]
    [InlineData("a.jsonl.gz")]
    public void ALineThatIsTooLongIsNamed(string name)
    {
        string path = Write(name, "{\"text\":\"a\"}\n\n{\"text\":\"" + new string('x', 100_000) + "\"}\n");
        PunaException e = Assert.Throws<PunaException>(() => new DocumentReader { LongestDocument = 5000 }.Read(path).Count());
        Assert.StartsWith($"line 3 of {path}: expected at most 5000 bytes", e.Message, StringComparison.Ordinal);
        Assert.Equal(2, new DocumentReader { LongestDocument = 100_011 }.Read(path).Count());
        Assert.Throws<PunaException>(() => new DocumentReader { LongestDocument = 100_010 }.Read(path).Count());
    }

    [Fact]
    public void ADocumentThatIsTooLongIsNamed()
    {
        string path = Write("a.txt", "first\n\n" + string.Concat(Enumerable.Repeat("line\n", 1000)));
        PunaException e = Assert.Throws<PunaException>(() => new DocumentReader { LongestDocument = 500 }.Read(path).Count());
        Assert.StartsWith($"document at line 3 of {path}: expected at most 500 bytes", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AGzipFileCutAnywhereIsRefused()
    {
        string path = Write("a.jsonl.gz", string.Concat(Enumerable.Range(0, 50).Select(i => $"{{\"text\":\"document {i}\"}}\n")));
        byte[] whole = File.ReadAllBytes(path);
        Assert.Equal(50, new DocumentReader().Read(path).Count());
        for (int length = 1; length < whole.Length; length++)
        {
            File.WriteAllBytes(path, whole[..length]);
            Assert.Throws<FileFormatException>(() => new DocumentReader { PassProblems = true }.Read(path).Count());
        }

        File.WriteAllBytes(path, [.. whole, 1, 2, 3]);
        Assert.Throws<FileFormatException>(() => new DocumentReader().Read(path).Count());
        File.WriteAllBytes(path, [.. whole, .. whole]);
        Assert.Equal(100, new DocumentReader().Read(path).Count());
    }

    [Fact]
    public void OtherNamesAndMissingFilesAreRefused()
    {
        Assert.Contains(".jsonl", Assert.Throws<PunaException>(() => new DocumentReader().Read("a.csv")).Message, StringComparison.Ordinal);
        Assert.Throws<PunaException>(() => new DocumentReader().Read(_folder.File("none.txt")).Count());
    }

    private string Write(string name, string text)
    {
        string path = _folder.File(name);
        using FileStream file = File.Create(path);
        if (name.EndsWith(".gz", StringComparison.Ordinal))
        {
            using var gzip = new GZipStream(file, CompressionLevel.Fastest);
            gzip.Write(Encoding.UTF8.GetBytes(text));
        }
        else
        {
            file.Write(Encoding.UTF8.GetBytes(text));
        }

        return path;
    }
}
