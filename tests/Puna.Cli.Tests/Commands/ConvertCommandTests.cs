using System.Text.Json;
using Puna.Hub.Tests;

namespace Puna.Cli.Tests.Commands;

public class ConvertCommandTests
{
    [Fact]
    public void GoesThroughAllFormatsAndBack()
    {
        using var folder = new TempFolder();
        Convert(TestModels.Random, folder.File("a.gguf"));
        Convert(folder.File("a.gguf"), folder.File("meta"), "--format", "meta");
        Convert(folder.File("meta"), folder.File("hf"), "--format", "safetensors");
        Assert.Equal("meta", Inspect(folder.File("meta")).GetProperty("format").GetString());

        // The same bits from all of them.
        string[] models = [TestModels.Random, folder.File("a.gguf"), folder.File("meta"), folder.File("hf")];
        byte[][] logits = Array.ConvertAll(models, model =>
        {
            Assert.Equal(0, CliRun.Of("logits", "--model", model, "--inputs", TestModels.RandomGolden, "--out", folder.File("l.npy")).Code);
            return File.ReadAllBytes(folder.File("l.npy"));
        });
        Assert.All(logits, bytes => Assert.Equal(logits[0], bytes));
    }

    [Fact]
    public void Quantises()
    {
        using var folder = new TempFolder();
        Convert("puna-tiny", folder.File("q4.gguf"), "--type", "Q4_0");
        JsonElement types = Inspect(folder.File("q4.gguf")).GetProperty("types");
        Assert.True(types.TryGetProperty("q4_0", out _), types.GetRawText());

        // The vocabulary goes along.
        Assert.Equal(CliRun.Of("tokenize", "Once upon").Out, CliRun.Of("tokenize", "--model", folder.File("q4.gguf"), "Once upon").Out);
    }

    [Fact]
    public void LeavesNothingBehindWhereItFails()
    {
        using var folder = new TempFolder();
        string source = TestModels.WriteTiny(folder.File("a.gguf"));
        CliRun.Of("convert", "--from", source).AssertRefused("option --to is missing");
        CliRun.Of("convert", "--to", source).AssertRefused("option --from is missing");
        CliRun.Of("convert", "--from", source, "--to", source).AssertRefused($"destination {source}: expected another place than that of the source");
        CliRun.Of("convert", "--from", source, "--to", folder, "--format", "gguf").AssertRefused($"destination {folder.Path}: expected the name of a file, got a folder");
        CliRun.Of("convert", "--from", source, "--to", folder.File("b.safetensors")).AssertRefused($"destination {folder.File("b.safetensors")}: expected the name of a folder, got that of a file");
        Assert.Equal(2, CliRun.Of("convert", "--from", source, "--to", folder.File("b"), "--type", "q4_0").Code);
        Assert.Equal(2, CliRun.Of("convert", "--from", source, "--to", folder.File("none", "b.gguf")).Code);
        Assert.Equal(2, CliRun.Of("convert", "--from", folder.File("none.gguf"), "--to", folder.File("b.gguf")).Code);
        Assert.StartsWith("puna: option --type: expected f32, f16", CliRun.Of("convert", "--from", source, "--to", folder.File("b.gguf"), "--type", "q9").Error, StringComparison.Ordinal);
        Assert.Equal(["a.gguf"], folder.Files());
    }

    /// <summary>A link is no other place: the source would be replaced by what is made of it.</summary>
    [Fact]
    public void ALinkToTheSourceIsNoOtherPlace()
    {
        using var folder = new TempFolder();
        string hf = folder.File("hf"), link = folder.File("link"), gguf = folder.File("a.gguf"), other = folder.File("b.gguf");
        Convert(TestModels.Random, hf);
        Convert(hf, gguf);
        Assert.SkipWhen(OperatingSystem.IsWindows(), "links need rights there");
        Directory.CreateSymbolicLink(link, "hf");
        File.CreateSymbolicLink(other, gguf);
        byte[] before = File.ReadAllBytes(Path.Combine(hf, "model.safetensors"));
        foreach ((string from, string to) in new[] { (hf, link), (link, hf), (Path.Combine(hf, "model.safetensors"), link), (gguf, other), (other, gguf) })
        {
            CliRun.Of("convert", "--from", from, "--to", to, "--type", "bf16").AssertRefused($"destination {to}: expected another place than that of the source");
        }

        Assert.Equal(before, File.ReadAllBytes(Path.Combine(hf, "model.safetensors")));
        Convert(hf, Path.Combine(link, "inside.gguf"));
    }

    [Fact]
    public void RowsThatAreNoSuperBlocksTakeTheTypesOfLlamaCpp()
    {
        using var folder = new TempFolder();
        Convert(TestModels.Random, folder.File("q2.gguf"), "--type", "q2_k");
        JsonElement types = Inspect(folder.File("q2.gguf")).GetProperty("types");
        Assert.True(types.TryGetProperty("iq4_nl", out _), types.GetRawText());
        Assert.Equal(0, CliRun.Of("logits", "--model", folder.File("q2.gguf"), "--tokens", "1,2,3", "--out", folder.File("l.npy")).Code);
    }

    private static void Convert(string from, string to, params string[] more)
    {
        CliRun run = CliRun.Of(["convert", "--from", from, "--to", to, .. more]);
        Assert.Equal((0, ""), (run.Code, run.Error));
        Assert.StartsWith(to + ": ", run.Out, StringComparison.Ordinal);
    }

    private static JsonElement Inspect(string model) => JsonDocument.Parse(CliRun.Of("inspect", model, "--json").Out).RootElement;
}
