using System.Text;
using Puna.Cli.Hosting;
using Puna.Hub.Tests;
using Puna.Tensors;

namespace Puna.Cli.Tests.Hosting;

public sealed class TextLinesTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void CutsAtLineFeeds()
    {
        Assert.Equal(["one", "", " two ", "three\rfour"], Read("one\n\r\n two \nthree\rfour"));
        Assert.Equal(["one"], Read("one\n"));
        Assert.Equal(["one", ""], Read("one\n\n"));
        Assert.Equal([""], Read("\n"));
        Assert.Empty(Read(""));
        Assert.Equal(["one"], Read("\uFEFFone"));
        Assert.Equal(["a\u0085b\u2028c\vd\fe"], Read("a\u0085b\u2028c\vd\fe\n")); // only line feeds end lines
    }

    [Theory]
    [InlineData(65535)]
    [InlineData(65536)]
    [InlineData(65537)]
    [InlineData(300000)]
    public void LinesMayBeLongerThanTheBuffer(int length)
    {
        string[] lines = [new('é', length), "short", new('b', length), ""];
        Assert.Equal(lines, Read(string.Join('\n', lines) + "\n"));
    }

    [Fact]
    public void ReadsTextsOfJsonLines()
    {
        Assert.Equal(["a\nb", "é", "\uFFFDx", "😀"], Read("{\"text\":\"a\\nb\"}\r\n{\"x\":1,\"text\":\"é\"}\n{\"text\":\"\\ud800x\"}\n{\"text\":\"\\ud83d\\ude00\"}\n\n \n", "f.jsonl"));
        Assert.Equal(["\uFFFD\uFFFD\"\\/\b\f\n\r\t"], Read("{\"text\":\"\\udc00\\ud800\\\"\\\\\\/\\b\\f\\n\\r\\t\"}", "f.jsonl"));
    }

    [Theory]
    [InlineData("f.jsonl", "{\"text\":\"a\"}\n\n{\"text\":\"b\"}\n", "line 2: expected a JSON object with a text, got an empty line")]
    [InlineData("f.jsonl", "{\"text\":1}\n", "line 1: expected a JSON object with a string \"text\", got something else")]
    [InlineData("f.jsonl", "[\"a\"]\n", "line 1: expected a JSON object with a string \"text\", got something else")]
    [InlineData("f.jsonl", "{\"text\":\"a\"} {}\n", "line 1: expected a JSON object, got something else at byte 13")]
    [InlineData("f.jsonl", "{\"text\":\"a\"}\n{\"text\":\n", "line 2: expected a JSON object, got something else at byte 8")]
    public void NamesTheLineThatIsWrong(string name, string content, string message)
    {
        FileFormatException e = Assert.Throws<FileFormatException>(() => Read(content, name));
        Assert.StartsWith(message, e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("f.txt")]
    [InlineData("f.jsonl")]
    public void RefusesWhatIsNotUtf8(string name)
    {
        string path = _folder.File(name);
        File.WriteAllBytes(path, [.. "{\"text\":\"a\"}\n{\"text\":\""u8, 0xC3, 0x28, .. "\"}\n"u8]);
        FileFormatException e = Assert.Throws<FileFormatException>(() => new TextLines(path).Check());
        Assert.StartsWith("line 2: expected UTF-8", e.Message, StringComparison.Ordinal);
        Assert.Throws<FileFormatException>(() => TextLines.ReadAll(path));
    }

    [Fact]
    public void RefusesWhatIsNoFile()
    {
        Assert.EndsWith(": not found", Assert.Throws<PunaException>(() => new TextLines(_folder.File("none")).Check()).Message, StringComparison.Ordinal);
        Assert.Contains("expected a file, got a folder", Assert.Throws<PunaException>(() => new TextLines(_folder).Check()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ReadsAWholeFile()
    {
        string path = _folder.File("prompt");
        File.WriteAllText(path, "\uFEFFone\r\n\r\n");
        Assert.Equal("one\r\n", TextLines.ReadAll(path));
    }

    private List<string> Read(string content, string name = "f.txt")
    {
        string path = _folder.File(name);
        File.WriteAllBytes(path, Encoding.UTF8.GetBytes(content));
        var lines = new TextLines(path);
        List<string> texts = [.. lines.Read()];
        Assert.Equal(texts.Count, lines.Check());
        return texts;
    }
}
