using System.IO.Compression;
using System.Text;
using Puna.Tensors;
using Puna.Text.Training;

namespace Puna.Text.Tests.Training;

/// <summary>Texts come out of files as they are meant, and bad files are one line.</summary>
public sealed class TextFilesTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("puna-texts-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_text_file_is_one_text()
    {
        string text = "one\ntwo\r\n\nthree é中🦙";
        Assert.Equal([text], All([File("a.txt", text)]));
        Assert.Equal([text], All([File("b.TXT", "\uFEFF" + text)]));
        Assert.Equal([text], All([Packed("c.txt.gz", text)]));
        Assert.Equal([""], All([File("d.txt", "")]));
        Assert.Equal(["x"], All([File("e.txt", "x")]));
    }

    [Fact]
    public void A_line_of_JSON_is_a_text()
    {
        string lines = """{"id":1,"meta":{"text":"no"},"text":"one\ntwo"}""" + "\r\n\n   \n" + """{"text":"\u00e9\ud83e\udd99","more":[1,2]}""" + "\n" + """{"text":""}""";
        Assert.Equal(["one\ntwo", "é🦙", ""], All([File("a.jsonl", lines)]));
        Assert.Equal(["one\ntwo", "é🦙", ""], All([Packed("b.jsonl.gz", "\uFEFF" + lines + "\n")]));
    }

    /// <summary>Lines longer than the buffer, in files one after the other.</summary>
    [Fact]
    public void Long_lines_and_several_files_are_read()
    {
        string longer = new('é', 200_000);
        Assert.Equal(["a", longer, "b", "c"], All([File("a.txt", "a"), File("b.jsonl", $$"""{"text":"{{longer}}"}""" + "\n" + """{"text":"b"}"""), File("c.txt", "c")]));
    }

    [Theory]
    [InlineData(1, "a")]
    [InlineData(2, "a中")]
    [InlineData(3, "a中")]
    [InlineData(4, "a中")]
    [InlineData(5, "a中b")]
    [InlineData(100, "a中bc")]
    public void Reading_ends_with_the_character_the_limit_is_in(int most, string expected)
    {
        Assert.Equal([expected], All([File("a.txt", "a中bc")], most));
        Assert.Equal([expected], All([File("a.jsonl", """{"text":"a中bc"}""")], most));
        Assert.Equal(most < 7 ? [expected] : [expected, "next"], All([File("a.txt", "a中bc"), File("b.txt", "next")], most));
    }

    [Theory]
    [InlineData("[1]", "line 2: expected a JSON object with a text")]
    [InlineData("{", "line 2: ")]
    [InlineData("{}", "line 2: expected a member text, got none")]
    [InlineData("{\"text\":1}", "line 2: expected text to be a string, got Number")]
    [InlineData("{\"text\":\"\\ud800\"}", "line 2: ")]
    [InlineData("{\"text\":\"a\"} {\"text\":\"b\"}", "line 2: ")]
    public void A_bad_line_is_named(string line, string expected)
    {
        string path = File("a.jsonl", """{"text":"good"}""" + "\n" + line);
        string message = Assert.Throws<PunaException>(() => All([path])).Message;
        Assert.StartsWith($"text file {path} {expected}", message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }

    [Fact]
    public void Bad_files_are_named()
    {
        string csv = File("a.csv", "x"), none = Path.Combine(_folder, "none.txt"), notPacked = File("a.txt.gz", "not packed at all");
        Assert.Contains(".txt or .jsonl", Assert.Throws<PunaException>(() => new TextFiles([csv])).Message, StringComparison.Ordinal);
        Assert.Contains("nothing there", Assert.Throws<PunaException>(() => new TextFiles([none])).Message, StringComparison.Ordinal);
        Directory.CreateDirectory(none);
        Assert.Contains("a folder", Assert.Throws<PunaException>(() => new TextFiles([none])).Message, StringComparison.Ordinal);
        Assert.Contains(notPacked, Assert.ThrowsAny<PunaException>(() => All([notPacked])).Message, StringComparison.Ordinal);
    }

    /// <summary>.NET's own reader takes some of these for whole files.</summary>
    [Fact]
    public void A_packed_file_that_was_cut_short_is_named()
    {
        string path = Packed("a.txt.gz", string.Concat(Enumerable.Range(0, 2000).Select(static i => $"line {i * 7919 % 1000}\n")));
        byte[] whole = System.IO.File.ReadAllBytes(path);
        Assert.Single(All([path]));
        foreach (int length in new[] { 12, whole.Length / 2, whole.Length - 9, whole.Length - 8, whole.Length - 4, whole.Length - 1 })
        {
            System.IO.File.WriteAllBytes(path, whole[..length]);
            string message = Assert.ThrowsAny<PunaException>(() => All([path])).Message;
            Assert.Contains(path, message, StringComparison.Ordinal);
            Assert.Contains("gzip: ", message, StringComparison.Ordinal);
        }
    }

    private string File(string name, string text)
    {
        string path = Path.Combine(_folder, name);
        System.IO.File.WriteAllText(path, text, new UTF8Encoding(false));
        return path;
    }

    private string Packed(string name, string text)
    {
        string path = Path.Combine(_folder, name);
        using var stream = new GZipStream(System.IO.File.Create(path), CompressionLevel.Fastest);
        stream.Write(Encoding.UTF8.GetBytes(text));
        return path;
    }

    private static List<string> All(string[] paths, long most = 0)
    {
        using var files = new TextFiles(paths, most);
        var texts = new List<string>();
        byte[] some = new byte[1000];
        while (files.Next())
        {
            using var text = new MemoryStream();
            while (files.Read(some) is > 0 and int length)
            {
                text.Write(some, 0, length);
            }

            texts.Add(Encoding.UTF8.GetString(text.ToArray()));
        }

        return texts;
    }
}
