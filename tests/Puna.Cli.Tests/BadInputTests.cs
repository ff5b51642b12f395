using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using System.Text.Json.Nodes;
using Puna.Cli.Tests.Commands;
using Puna.Formats.Gguf;
using Puna.Hub.Tests;
using Puna.Tests.Shared;

namespace Puna.Cli.Tests;

/// <summary>Damaged and foreign files, given to the built command: exit code 2, one line that says what is wrong, nothing else.</summary>
public sealed class BadInputTests : IDisposable
{
    private const string Wq = "model.layers.0.self_attn.q_proj.weight";
    private const string Wo = "model.layers.0.self_attn.o_proj.weight";

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("missing", "not found")]
    [InlineData("empty", "empty")]
    [InlineData("truncated", "model.safetensors")]
    [InlineData("magic", "GGUF")]
    [InlineData("beyond", Wq)]
    [InlineData("overlap", Wo)]
    [InlineData("shape", Wq)]
    [InlineData("absent", "model.norm.weight")]
    [InlineData("dtype", "Q99")]
    [InlineData("architecture", "gpt2")]
    [InlineData("model_type", "falcon")]
    [InlineData("vocabulary", "1025")]
    [InlineData("pickle", "system")]
    [InlineData("split", "00002")]
    public void AModelThatIsNone(string damage, string named)
    {
        string model = Make(damage);
        PunaProcess run = PunaProcess.Run("run", "--model", model, "--tokens", "1,2,3", "--max-tokens", "1", "--temperature", "0");
        run.AssertFailed(2);
        Assert.Contains(named, run.Error, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void TheWholeFilesAreGood()
    {
        // What the damaged ones are made from works, so that each is refused for its damage.
        string tokens = PunaProcess.Run("run", "--model", Safetensors(static _ => { }), "--tokens", "1,2,3", "--max-tokens", "1", "--temperature", "0").Out;
        Assert.StartsWith("1,2,3,", tokens, StringComparison.Ordinal);
        Assert.Equal(0, PunaProcess.Run("run", "--model", Gguf(static _ => { }), "Once", "--max-tokens", "1").Code);
    }

    [Fact]
    public void ATextThatIsNone()
    {
        string path = _folder.File("f.txt");
        File.WriteAllBytes(path, [0xFF, 0xFE, 0x00]);
        foreach (string[] args in (string[][])[["tokenize", "--file", path], ["perplexity", "--file", path], ["run", "--file", path]])
        {
            PunaProcess run = PunaProcess.Run(args);
            run.AssertFailed(2);
            Assert.Contains("UTF-8", run.Error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void APromptThatIsTooLong()
    {
        PunaProcess run = PunaProcess.Run("run", string.Concat(Enumerable.Repeat("salt ", 600)));
        run.AssertFailed(2);
        Assert.Contains("context of 512", run.Error, StringComparison.Ordinal);
    }

    private string Make(string damage) => damage switch
    {
        "missing" => _folder.File("none.gguf"),
        "empty" => Write("empty.gguf", []),
        "magic" => Write("magic.gguf", "GGML and so on, long enough for a header"u8),
        "truncated" => Truncated(),
        "beyond" => Safetensors(static header => header[Wq]!["data_offsets"] = new JsonArray(0, 1L << 40)),
        "overlap" => Safetensors(static header => header[Wo]!["data_offsets"] = header[Wq]!["data_offsets"]!.DeepClone()),
        "shape" => Safetensors(static header => header[Wq]!["shape"] = new JsonArray(32, 128)),
        "absent" => Safetensors(static header => Rename(header, "model.norm.weight", "model.norm.other")),
        "dtype" => Safetensors(static header => header[Wq]!["dtype"] = "Q99"),
        "model_type" => ForeignConfig(),
        "architecture" => Gguf(static metadata => metadata.Set("general.architecture", "gpt2")),
        "vocabulary" => Gguf(static metadata => AddToken(metadata)),
        "pickle" => Pickle(),
        _ => Copy(TestFiles.Fixture("gguf", "split-00001-of-00003.gguf")),
    };

    private string Write(string name, ReadOnlySpan<byte> bytes)
    {
        File.WriteAllBytes(_folder.File(name), bytes);
        return _folder.File(name);
    }

    private string Copy(string path)
    {
        File.Copy(path, _folder.File(Path.GetFileName(path)));
        return _folder.File(Path.GetFileName(path));
    }

    private string Truncated()
    {
        string folder = Safetensors(static _ => { });
        using FileStream file = File.OpenWrite(Path.Combine(folder, "model.safetensors"));
        file.SetLength(file.Length - 1000);
        return folder;
    }

    private string ForeignConfig()
    {
        string folder = Safetensors(static _ => { });
        string config = Path.Combine(folder, "config.json");
        File.WriteAllText(config, File.ReadAllText(config).Replace("\"model_type\": \"llama\"", "\"model_type\": \"falcon\"", StringComparison.Ordinal));
        return folder;
    }

    /// <summary>A folder with a good model whose header has been changed.</summary>
    private string Safetensors(Action<JsonObject> change)
    {
        byte[] whole = File.ReadAllBytes(Path.Combine(TestModels.Random, "model.safetensors"));
        int length = (int)BinaryPrimitives.ReadInt64LittleEndian(whole);
        JsonObject header = JsonNode.Parse(whole.AsSpan(8, length))!.AsObject();
        change(header);
        byte[] changed = Encoding.UTF8.GetBytes(header.ToJsonString());
        int padding = (8 - (changed.Length % 8)) % 8;
        byte[] prefix = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(prefix, changed.Length + padding);
        File.Copy(Path.Combine(TestModels.Random, "config.json"), _folder.File("config.json"));
        Write("model.safetensors", [.. prefix, .. changed, .. Enumerable.Repeat((byte)' ', padding), .. whole.AsSpan(8 + length)]);
        return _folder;
    }

    private static void Rename(JsonObject header, string from, string to)
    {
        header[to] = header[from]!.DeepClone();
        header.Remove(from);
    }

    private string Gguf(Action<GgufMetadata> change) => TestModels.WriteChanged(_folder.File("changed.gguf"), change);

    private static void AddToken(GgufMetadata metadata)
    {
        metadata.Set("tokenizer.ggml.tokens", (string[])[.. metadata.GetStrings("tokenizer.ggml.tokens")!, "one too many"]);
        metadata.Set("tokenizer.ggml.scores", (float[])[.. metadata.GetFloats("tokenizer.ggml.scores")!, -1f]);
        metadata.Set("tokenizer.ggml.token_type", Array.ConvertAll<long, int>([.. metadata.GetIntegers("tokenizer.ggml.token_type")!, 1], static type => (int)type));
    }

    /// <summary>A torch file whose pickle calls <c>os.system</c>: it must be refused by name, and of course not called.</summary>
    private string Pickle()
    {
        File.WriteAllText(_folder.File("params.json"), """{"dim": 64, "n_layers": 1, "n_heads": 8, "norm_eps": 1e-5, "vocab_size": 320}""");
        string path = _folder.File("consolidated.00.pth");
        using ZipArchive zip = ZipFile.Open(path, ZipArchiveMode.Create);
        Add("archive/data.pkl", "\u0080\u0002cos\nsystem\n(X\u0004\0\0\0exittR."u8);
        Add("archive/version", "3\n"u8);
        return _folder;

        void Add(string name, ReadOnlySpan<byte> content)
        {
            // Latin-1 text became UTF-8 in the literal; a pickle is bytes.
            byte[] bytes = Encoding.Latin1.GetBytes(Encoding.UTF8.GetString(content));
            using Stream stream = zip.CreateEntry(name, CompressionLevel.NoCompression).Open();
            stream.Write(bytes);
        }
    }
}
