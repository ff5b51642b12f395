using System.Text.Json;
using Puna.Hub.Tests;
using Puna.Tests.Shared;

namespace Puna.Cli.Tests.Commands;

public class InspectCommandTests
{
    [Fact]
    public void DescribesTheEmbeddedModel()
    {
        using JsonDocument json = JsonDocument.Parse(CliRun.Of("inspect", "puna-tiny", "--json").Out);
        JsonElement root = json.RootElement;
        Assert.Equal("gguf", root.GetProperty("format").GetString());
        Assert.True(root.GetProperty("runs").GetBoolean());
        Assert.Equal(3606784, root.GetProperty("config").GetProperty("parameters").GetInt64());
        Assert.Equal(512, root.GetProperty("config").GetProperty("context").GetInt32());
        Assert.Equal(29, root.GetProperty("types").GetProperty("q8_0").GetInt32());
        Assert.Equal("llama", root.GetProperty("metadata").GetProperty("general.architecture").GetString());
        Assert.Equal(2560, root.GetProperty("metadata").GetProperty("tokenizer.ggml.tokens").GetProperty("length").GetInt32());
        JsonElement tensor = Assert.Single(root.GetProperty("tensors").EnumerateArray(), static t => t.GetProperty("name").GetString() == "blk.0.ffn_down.weight");
        Assert.Equal([256, 704], tensor.GetProperty("shape").EnumerateArray().Select(static size => size.GetInt32()));
        Assert.Equal("q8_0", tensor.GetProperty("dtype").GetString());

        CliRun text = CliRun.Of("inspect", "puna-tiny");
        Assert.Equal((0, ""), (text.Code, text.Error));
        Assert.Contains("3,606,784", text.Out, StringComparison.Ordinal);
        Assert.Matches(@"blk\.0\.ffn_down\.weight +q8_0 +\[256, 704\] +191,488\n", text.Out);
    }

    [Theory]
    [InlineData("llama-4-behemoth")]
    [InlineData("Llama 4 Behemoth")]
    public void TellsWhatWasAnnouncedOfBehemoth(string name)
    {
        CliRun text = CliRun.Of("inspect", name);
        Assert.Equal((0, ""), (text.Code, text.Error));
        foreach (string fact in (string[])["288 billion", "nearly two trillion", "16", "not published"])
        {
            Assert.Contains(fact, text.Out, StringComparison.Ordinal);
        }

        using JsonDocument json = JsonDocument.Parse(CliRun.Of("inspect", name, "--json").Out);
        Assert.Equal("288 billion", json.RootElement.GetProperty("active_parameters").GetString());
    }

    [Fact]
    public void CountsTheExpertsOfLlama4()
    {
        string model = TestFiles.Fixture("goldens", "llama4-maverick");
        using JsonDocument json = JsonDocument.Parse(CliRun.Of("inspect", model, "--json").Out);
        JsonElement config = json.RootElement.GetProperty("config");
        Assert.Equal((4, 2, 3, 16), (Int("experts"), Int("expert_layers"), Int("local_layers"), Int("chunk")));

        // Two layers of four experts of three matrices of 96 by 64, of which a token meets one each.
        Assert.Equal(2 * 3 * 3 * 96 * 64, Int("parameters") - Int("active_parameters"));
        Assert.Contains("4 of width 96 and a shared one in 2 layers, 1 per token", CliRun.Of("inspect", model).Out, StringComparison.Ordinal);

        int Int(string key) => config.GetProperty(key).GetInt32();
    }

    [Fact]
    public void DescribesAFolderOfSafetensors()
    {
        using JsonDocument json = JsonDocument.Parse(CliRun.Of("inspect", TestModels.Random, "--json", "--no-mmap").Out);
        Assert.Equal("safetensors", json.RootElement.GetProperty("format").GetString());
        Assert.Equal(173504, json.RootElement.GetProperty("tensor_values").GetInt64());
        Assert.Equal(30, json.RootElement.GetProperty("tensor_count").GetInt32());
    }

    [Fact]
    public void ShowsWhatCannotBeRunWithTheReason()
    {
        CliRun run = CliRun.Of("inspect", TestModels.RandomGolden, "--json"); // tensors, but not those that config.json asks for
        using JsonDocument json = JsonDocument.Parse(run.Out);
        Assert.False(json.RootElement.GetProperty("runs").GetBoolean());
        Assert.NotEmpty(json.RootElement.GetProperty("problem").GetString()!);
        Assert.Equal(JsonValueKind.Null, json.RootElement.GetProperty("config").ValueKind);
        Assert.Equal(0, run.Code);
        Assert.Matches(@"runs +no: tensor ", CliRun.Of("inspect", TestModels.RandomGolden).Out);
    }

    [Fact]
    public void RefusesWhatIsNoModel()
    {
        using var folder = new TempFolder();
        byte[] whole = File.ReadAllBytes(TestModels.WriteTiny(folder.File("whole.gguf")));
        string[] bad =
        [
            folder.File("missing.gguf"), Write("empty.gguf", []), Write("magic.gguf", [.. "JUNK"u8, .. whole[4..]]), Write("cut.gguf", whole[..5000]),
            Write("short.gguf", whole[..^100]), Write("empty.safetensors", []), Write("junk.safetensors", [.. "not a header"u8]), Write("empty.pth", []), Write("empty.bin", []),
        ];
        foreach (string path in bad)
        {
            CliRun run = CliRun.Of("inspect", path);
            Assert.Equal((2, ""), (run.Code, run.Out));
            Assert.Contains(path, run.Error, StringComparison.Ordinal);
            Assert.Single(run.Error, '\n');
        }

        Directory.CreateDirectory(folder.File("nothing"));
        Assert.Equal(2, CliRun.Of("inspect", folder.File("nothing")).Code);
        CliRun.Of("inspect").AssertRefused("M is missing (see puna inspect --help)");
        CliRun.Of("inspect", "nothing-of-this-name").AssertRefused("model nothing-of-this-name: expected a file, a folder, an embedded model (puna-tiny) or owner/name of the hub, got none of these");

        string Write(string name, byte[] bytes)
        {
            File.WriteAllBytes(folder.File(name), bytes);
            return folder.File(name);
        }
    }
}
