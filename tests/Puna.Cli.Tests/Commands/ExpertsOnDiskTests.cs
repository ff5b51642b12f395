using Puna.Hub.Tests;
using Puna.Tests.Shared;

namespace Puna.Cli.Tests.Commands;

/// <summary><c>--experts-on-disk</c>: the same bits as with the experts in memory, and nothing but a refusal where there is nothing to leave.</summary>
public sealed class ExpertsOnDiskTests
{
    [Theory]
    [InlineData("f32")]
    [InlineData("q8_0")]
    public void TheLogitsAreTheSame(string type)
    {
        using var folder = new TempFolder();
        string model = folder.File("m.gguf"), cache = folder.File("cache");
        Assert.Equal(0, CliRun.Of("convert", "--from", TestFiles.GoldenModel("llama4-maverick"), "--to", model, "--type", type).Code);
        byte[] Logits(params string[] options)
        {
            string output = folder.File("l.npy");
            Assert.Equal(new CliRun(0, "", ""), CliRun.Of(["logits", "--model", model, "--tokens", "1,300,7,9,200,31", "--out", output, .. options]));
            return File.ReadAllBytes(output);
        }

        byte[] expected = Logits();
        Assert.Equal(expected, Logits("--experts-on-disk"));

        // There is no packed form of the experts that could be kept; one that was kept before is mapped, which leaves them on the disk as well.
        Assert.Equal(expected, Logits("--experts-on-disk", "--pack-cache", cache));
        Assert.Empty(Packs());
        Assert.Equal(expected, Logits("--pack-cache", cache));
        Assert.Single(Packs());
        Assert.Equal(expected, Logits("--experts-on-disk", "--pack-cache", cache));

        string[] Packs() => Directory.Exists(cache) ? Directory.GetFiles(cache, "*.punapack") : [];
    }

    [Fact]
    public void WhatCannotStayThereIsRefused()
    {
        using var folder = new TempFolder();
        string model = folder.File("m.gguf"), output = folder.File("l.npy"), files = TestFiles.GoldenModel("llama4-scout");
        Assert.Equal(0, CliRun.Of("convert", "--from", files, "--to", model).Code);
        Refused($"experts of {model}: expected them row by row in a mapped file to be left there, got others: convert the model to GGUF, and map it", "--model", model, "--no-mmap");
        Refused($"experts of {files}: expected them row by row in a mapped file to be left there, got others: convert the model to GGUF, and map it", "--model", files);
        Refused($"experts of {TestFiles.TrainedTiny}: expected a model with experts, got ", "--model", TestFiles.TrainedTiny);
        Refused("option --experts-on-disk has no meaning with a Prompt Guard", "--model", TestFiles.Fixture("goldens", "prompt-guard"));
        Assert.False(File.Exists(output));

        void Refused(string beginning, params string[] options)
        {
            CliRun run = CliRun.Of(["logits", "--tokens", "1,2", "--out", output, "--experts-on-disk", .. options]);
            Assert.Equal((2, ""), (run.Code, run.Out));
            Assert.StartsWith($"puna: {beginning}", run.Error, StringComparison.Ordinal);
        }
    }
}
