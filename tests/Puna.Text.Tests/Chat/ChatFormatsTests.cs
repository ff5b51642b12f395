using System.Text.Json;
using Puna.Tests.Shared;
using Puna.Text.Chat;

namespace Puna.Text.Tests.Chat;

public class ChatFormatsTests
{
    private static readonly FakeTokenizer Everything = FakeTokenizer.Create(
        "<s>", "</s>", "<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>", "<|im_start|>", "<|im_end|>", "<step>");

    public static TheoryData<string> Templates => [.. Lines().Select(line => line.GetProperty("name").GetString()!)];

    /// <summary>
    /// The fixture's templates and what Jinja2 3.1.6 (blocks trimmed and stripped, as chat templates are run) makes of seven conversations. A template that
    /// is recognised must be rendered alike; one that only resembles the known ones must not be recognised.
    /// </summary>
    [Theory]
    [MemberData(nameof(Templates))]
    public void WhatIsRecognisedIsRenderedAsJinjaDoes(string name)
    {
        JsonElement line = Lines().Single(l => l.GetProperty("name").GetString() == name);
        ChatDetection detection = ChatFormats.Detect(line.GetProperty("template").GetString(), Everything, new ChatHints(Today: new DateOnly(2024, 7, 26)));
        Assert.True(detection.IsInstructionModel);
        Assert.Equal(line.GetProperty("known").GetBoolean(), detection.Format is not null);
        Assert.Equal(detection.Format is null, detection.UnknownName is not null);
        foreach (JsonElement each in line.GetProperty("cases").EnumerateArray())
        {
            string rendered = detection.Format!.Render(Conversation.Read(each.GetProperty("messages")), each.GetProperty("add_generation_prompt").GetBoolean());
            Assert.Equal(each.GetProperty("rendered").GetString(), rendered);
        }
    }

    [Theory]
    [InlineData("{{ '<start_of_turn>user' }}", "Gemma")]
    [InlineData("{{ bos_token }}{{ '[INST] ' + x + ' [/INST]' }}", "Mistral")]
    [InlineData("{{ '<|header_start|>' }}", "Llama 4")]
    [InlineData("{{ '### Instruction:' }}", "Alpaca")]
    [InlineData("{{ '<|im_start|>", "a variant of ChatML")]
    [InlineData("{{ x }}", "a template of an unknown kind")]
    [InlineData("{% set a = '<|start_header_id|>' %}Task: Check if there is unsafe content in", "Llama Guard, a classifier")]
    public void OthersAreNamed(string template, string name)
    {
        ChatDetection detection = ChatFormats.Detect(template, Everything);
        Assert.Null(detection.Format);
        Assert.Equal(name, detection.UnknownName);
        Assert.Contains(name, detection.Explanation, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("NousResearch-Hermes-2-Pro-Llama-3-8B-tool_use")]
    [InlineData("NousResearch-Hermes-3-Llama-3.1-8B-tool_use")]
    public void TemplatesThatAddTextOfTheirOwnAreNotTakenForChatMl(string model)
    {
        string template = File.ReadAllText(TestFiles.Asset("chat-templates", model + ".jinja"));
        Assert.Equal("a variant of ChatML", ChatFormats.Detect(template, Everything).UnknownName);
    }

    [Fact]
    public void TokensAloneMakeNoInstructionModel()
    {
        foreach (string? template in (string?[])[null, "", "  \n"])
        {
            ChatDetection detection = ChatFormats.Detect(template, FakeTokenizer.Llama3(), new ChatHints("meta-llama/Llama-3.1-8B"));
            Assert.False(detection.IsInstructionModel);
            Assert.Null(detection.Format);
            Assert.Contains("base models of Llama 3", detection.Explanation, StringComparison.Ordinal);
        }

        Assert.DoesNotContain("base models", ChatFormats.Detect(null, FakeTokenizer.Llama2()).Explanation, StringComparison.Ordinal);
    }

    [Fact]
    public void ATokenizerWithoutTheTokensIsNotEnough()
    {
        string template = Lines().Single(l => l.GetProperty("name").GetString() == "chatml").GetProperty("template").GetString()!;
        Assert.Equal("ChatML, whose control tokens the tokenizer lacks", ChatFormats.Detect(template, FakeTokenizer.Llama2()).UnknownName);
        Assert.Equal("Llama 3.1, whose control tokens the tokenizer lacks", ChatFormats.Detect(null, FakeTokenizer.Llama2(), new("Llama3.1-8B-Instruct")).UnknownName);
    }

    [Theory]
    [InlineData("Meta-Llama-3-8B-Instruct", "Llama 3")]
    [InlineData("meta-llama/Llama-3.2-11B-Vision-Instruct", "Llama 3.1")]
    [InlineData("Llama3.3-70B-Instruct", "Llama 3.1")]
    [InlineData("Llama-3.1-8B", null)]
    [InlineData("llama-2-7b-chat", "Llama 2")]
    [InlineData("meta-llama_Llama-2-13b-chat-hf", "Llama 2")]
    [InlineData("Llama-2-7b-hf", null)]
    [InlineData("CodeLlama-34b-Instruct", "Code Llama 70B")]
    [InlineData("CodeLlama-7b-Python", null)]
    [InlineData("TinyLlama-1.1B-Chat-v1.0", null)]
    [InlineData("mallama-2-7b-chat", null)]
    public void MetasOwnNamesAreKnownWithoutATemplate(string model, string? format) =>
        Assert.Equal(format, ChatFormats.Detect(null, Everything, new ChatHints(model)).Format?.Name); // this tokenizer has <step>, as only the 70B model's has

    [Fact]
    public void CodeLlamaIsToldByItsTokenizer()
    {
        FakeTokenizer llama2 = FakeTokenizer.Llama2();
        Tokenizer code = llama2.WithRoles(llama2.Roles with { FimPrefix = 5 });
        string template = Lines().Single(l => l.GetProperty("name").GetString() == "llama2").GetProperty("template").GetString()!;
        Assert.Same(Llama2ChatFormat.CodeLlama, ChatFormats.Detect(template, code).Format);
        Assert.Same(Llama2ChatFormat.Llama2, ChatFormats.Detect(template, llama2).Format);
        Assert.Same(Llama2ChatFormat.CodeLlama, ChatFormats.Detect(null, llama2, new("CodeLlama-7b-Instruct")).Format);
        Assert.Same(CodeLlama70BChatFormat.Instance, ChatFormats.Detect("{{ 'Source: ' + m.role + ' <step> ' }}", FakeTokenizer.CodeLlama70B()).Format);
    }

    [Fact]
    public void HostileTemplatesAreOnlyUnknown()
    {
        foreach (string template in (string[])[
            "{{", "{%", "{#", "{{-", "{{ '", "{{ \"\\", "{{}}", "{%-%}", "{%%}", "{##}", "{#-#}", "}}{{", "{{ '<|im_start|>assistant\n' }}" + new string('{', 100_000),
            string.Concat(Enumerable.Repeat("{{ '<|im_start|>assistant\n' }}", 50_000)) + "{{ 'x'", new string('\'', 500_000)])
        {
            Assert.Null(ChatFormats.Detect(template, Everything, new ChatHints(new string('l', 100_000))).Format);
        }
    }

    private static List<JsonElement> Lines() =>
        [.. File.ReadLines(TestFiles.Fixture("chat", "templates.jsonl")).Select(line => JsonDocument.Parse(line).RootElement)];
}
