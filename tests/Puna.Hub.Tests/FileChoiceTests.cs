namespace Puna.Hub.Tests;

public class FileChoiceTests
{
    [Fact]
    public void SafetensorsComeWithTheirCompanions() => Check(
        "owner/name",
        ["README.md", "config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "tokenizer.model", "chat_template.jinja",
            "preprocessor_config.json", "model.safetensors", "model.gguf", "pytorch_model.bin", "original/consolidated.00.pth", "original/params.json", "original/tokenizer.model", "x/config.json"],
        ["config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "tokenizer.model", "chat_template.jinja", "preprocessor_config.json", "model.safetensors"],
        "");

    [Fact]
    public void ChatTemplatesWithNamesComeAlong()
    {
        string[] files = ["config.json", "chat_template.jinja", "additional_chat_templates/tool_use.jinja", "additional_chat_templates/rag.jinja", "model.safetensors"];
        Check("owner/name", [.. files, "additional_chat_templates/notes.txt", "additional_chat_templates/old/x.jinja", "other/tool_use.jinja"], files, "");
        string[] inFolder = [.. files.Select(static file => "sub/" + file)];
        Check("owner/name:sub", [.. files, .. inFolder], inFolder, "sub");
        Check("owner/name:sub/model.safetensors", [.. files, .. inFolder], inFolder, "sub/model.safetensors");
    }

    [Fact]
    public void ShardsComeWithTheirIndexAndWithoutASecondCopy() => Check(
        "owner/name",
        ["config.json", "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors", "model.safetensors.index.json", "consolidated.safetensors", "other-00001-of-00009.safetensors"],
        ["config.json", "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors", "model.safetensors.index.json"],
        "");

    [Fact]
    public void ShardsMayHaveOtherNames() => Check(
        "owner/name",
        ["config.json", "a.safetensors", "b.safetensors", "model.safetensors.index.json", "consolidated.safetensors"],
        ["config.json", "a.safetensors", "b.safetensors", "model.safetensors.index.json"],
        "");

    [Fact]
    public void AMissingShardIsNamed() => Fails(
        HubErrorKind.NotFound, "model-00002-of-00003.safetensors", "owner/name", "model-00001-of-00003.safetensors", "model-00003-of-00003.safetensors", "model.safetensors.index.json");

    [Theory]
    [InlineData("owner/name:model-00002-of-00002.safetensors")]
    [InlineData("owner/name:model.safetensors.index.json")]
    public void AShardMeansAllOfThem(string name) => Check(
        name,
        ["config.json", "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors", "model.safetensors.index.json", "x.safetensors"],
        ["config.json", "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors", "model.safetensors.index.json"],
        "");

    [Fact]
    public void ANamedSafetensorsFileComesWithItsCompanions() => Check(
        "owner/name:sub/a.safetensors", ["config.json", "sub/config.json", "sub/a.safetensors", "sub/b.safetensors"], ["sub/config.json", "sub/a.safetensors"], "sub/a.safetensors");

    [Fact]
    public void AnAdapterIsAModelToo() => Check(
        "owner/name", ["adapter_config.json", "adapter_model.safetensors", "README.md"], ["adapter_config.json", "adapter_model.safetensors"], "");

    [Fact]
    public void TheOnlyGgufIsTheModel() => Check("owner/name", ["config.json", "m.gguf", "mmproj-m.gguf", "m.imatrix.gguf"], ["m.gguf"], "m.gguf");

    [Fact]
    public void TheOnlyGgufMayBeInAFolder() => Check("owner/name", ["README.md", "Q4_0/m.gguf"], ["Q4_0/m.gguf"], "Q4_0/m.gguf");

    [Fact]
    public void SeveralGgufsAreListed()
    {
        string message = Fails(HubErrorKind.Ambiguous, "3 GGUF models", "owner/name", "m.Q4_0.gguf", "m.Q8_0.gguf", "m.F32-00001-of-00002.gguf", "m.F32-00002-of-00002.gguf");
        Assert.Contains("m.Q4_0.gguf, m.Q8_0.gguf, m.F32-00001-of-00002.gguf)", message, StringComparison.Ordinal);
        Assert.Contains("owner/name:FILE", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("owner/name:m.Q8_0.gguf", "m.Q8_0.gguf")]
    [InlineData("owner/name:dir", "dir/x.gguf")]
    [InlineData("owner/name:mmproj.gguf", "mmproj.gguf")]
    [InlineData("owner/name:README.md", "README.md")]
    public void ANameChooses(string name, string expected) => Check(name, ["m.Q4_0.gguf", "m.Q8_0.gguf", "dir/x.gguf", "mmproj.gguf", "README.md"], [expected], expected);

    [Theory]
    [InlineData("owner/name")]
    [InlineData("owner/name:m-00001-of-00003.gguf")]
    [InlineData("owner/name:m-00003-of-00003.gguf")]
    public void AllPartsOfASplitGgufAreOneModel(string name) => Check(
        name,
        ["m-00003-of-00003.gguf", "m-00001-of-00003.gguf", "m-00002-of-00003.gguf"],
        ["m-00001-of-00003.gguf", "m-00002-of-00003.gguf", "m-00003-of-00003.gguf"],
        "m-00001-of-00003.gguf");

    [Fact]
    public void AMissingPartIsNamed() => Fails(HubErrorKind.NotFound, "m-00002-of-00003.gguf", "owner/name", "m-00001-of-00003.gguf", "m-00003-of-00003.gguf");

    [Fact]
    public void ASplitOfNothingIsRefused() => Fails(HubErrorKind.BadAnswer, "m-00001-of-00000.gguf", "owner/name", "m-00001-of-00000.gguf");

    [Fact]
    public void MetaLayoutIsTheLastChoice() => Check(
        "owner/name",
        ["checklist.chk", "consolidated.00.pth", "consolidated.01.pth", "params.json", "tokenizer.model", "README.md"],
        ["consolidated.00.pth", "consolidated.01.pth", "params.json", "tokenizer.model"],
        "");

    [Theory]
    [InlineData("owner/name:original")]
    [InlineData("owner/name:original/consolidated.00.pth")]
    public void OriginalIsThereForTheAsking(string name) => Check(
        name,
        ["config.json", "model.safetensors", "original/consolidated.00.pth", "original/params.json", "original/tokenizer.model"],
        ["original/consolidated.00.pth", "original/params.json", "original/tokenizer.model"],
        "original");

    [Fact]
    public void OriginalIsIgnoredOtherwise() => Fails(HubErrorKind.NotFound, "pytorch_model.bin", "owner/name", "config.json", "pytorch_model.bin", "original/consolidated.00.pth", "original/x.gguf");

    [Fact]
    public void MetaWeightsNeedTheirParameters() => Fails(HubErrorKind.NotFound, "params.json", "owner/name", "consolidated.00.pth");

    [Fact]
    public void AnUnknownFileIsAnErrorThatSaysWhatThereIs() => Fails(HubErrorKind.NotFound, "it has a.gguf, b.gguf", "owner/name:c.gguf", "a.gguf", "b.gguf");

    [Fact]
    public void AnEmptyRepositoryIsAnError() => Fails(HubErrorKind.NotFound, "empty", "owner/name");

    [Fact]
    public void LongListsAreCut() => Fails(HubErrorKind.Ambiguous, "and 30 more", "owner/name", Enumerable.Range(0, 50).Select(i => $"m{i}.gguf").ToArray());

    [Theory]
    [InlineData("nul.gguf")]
    [InlineData("a:b.gguf")]
    [InlineData("x.partial/m.gguf")]
    public void AChosenFileMustBeOneEverywhere(string path) => Fails(HubErrorKind.BadAnswer, "usable everywhere", "owner/name", path);

    [Fact]
    public void NamesThatDifferInCaseOnlyAreRefused() => Fails(HubErrorKind.BadAnswer, "case", "owner/name", "config.json", "Config.json", "model.safetensors");

    [Fact]
    public void OddNamesElsewhereDoNotMatter() => Check("owner/name", ["what?.txt", "nul", "m.gguf"], ["m.gguf"], "m.gguf");

    private static void Check(string name, string[] repository, string[] expected, string open)
    {
        ChosenFiles chosen = Choose(name, repository);
        Assert.Equal(expected.Order(StringComparer.Ordinal), chosen.Files.Select(file => file.Path).Order(StringComparer.Ordinal));
        Assert.Equal(open, chosen.Open);
    }

    private static string Fails(HubErrorKind kind, string part, string name, params string[] repository)
    {
        HubException e = Assert.Throws<HubException>(() => Choose(name, repository));
        Assert.Equal(kind, e.Kind);
        Assert.Contains(part, e.Message, StringComparison.Ordinal);
        return e.Message;
    }

    private static ChosenFiles Choose(string name, string[] repository) =>
        FileChoice.Choose(new HubListing(FakeHub.Commit, repository.Select(path => new HubFile(path, 1, null)).ToList()), ModelReference.Parse(name));
}
