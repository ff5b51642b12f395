using System.Text.Json;
using Puna.Hub.Tests;
using Puna.Tests.Shared;

namespace Puna.Cli.Tests.Commands;

public class TemplateCommandTests
{
    private const string Chat = "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi é\"}]}";

    [Fact]
    public void PrintsALineForALine()
    {
        using var folder = new TempFolder();
        File.WriteAllText(folder.File("t.jinja"), "{{ bos_token }}{% if extra is defined %}{{ raise_exception('no\\n' + extra) }}{% endif %}{{ messages[0].content }}{{ eos_token }}{{ tools }}{{ strftime_now('%d %b %Y') }}\n");
        File.WriteAllText(folder.File("f.jsonl"), Chat + "\n{\"messages\":[],\"extra\":\"x\"}\n\n" + Chat[..^1] + ",\"bos_token\":\"<s>\",\"eos_token\":\"\",\"tools\":[1]}\n");
        CliRun run = CliRun.Of("template", "--template", folder.File("t.jinja"), "--file", folder.File("f.jsonl"), "--now", "2024-07-26");
        Assert.Equal(new CliRun(0,
            "{\"rendered\":\"<|begin_of_text|>Hi é<|eot_id|>None26 Jul 2024\"}\n{\"error\":\"TemplateError: no\\nx\"}\n{\"rendered\":\"<s>Hi é[1]26 Jul 2024\"}\n", ""), run);
        Assert.Equal(run, CliRun.Of("template", "--template", folder.File("t.jinja"), "--file", folder.File("f.jsonl"), "--now", "2024-07-26T12:00:00", "--json"));
    }

    [Fact]
    public void TakesTheTemplateOfAModel()
    {
        using var folder = new TempFolder();
        string model = TestModels.WriteChanged(folder.File("m.gguf"), static metadata => metadata.Set("tokenizer.chat_template", "G{{ messages[0].content }}"));
        File.WriteAllText(folder.File("chat_template.jinja"), "F{{ messages[0].content }}");
        File.WriteAllText(folder.File("config.json"), "{}");
        File.WriteAllText(folder.File("f.jsonl"), Chat);
        Assert.Equal("{\"rendered\":\"GHi é\"}\n", CliRun.Of("template", "--model", model, "--file", folder.File("f.jsonl")).Out);
        Assert.Equal("{\"rendered\":\"FHi é\"}\n", CliRun.Of("template", "--model", folder.Path, "--file", folder.File("f.jsonl")).Out);
        CliRun.Of("template", "--model", TestModels.Random, "--file", folder.File("f.jsonl")).AssertRefused($"model {TestModels.Random}: expected a chat template with it, got none");
    }

    [Theory]
    [InlineData("NousResearch-Hermes-2-Pro-Llama-3-8B-tool_use")]
    [InlineData("NousResearch-Hermes-3-Llama-3.1-8B-tool_use")]
    public void LinesWithToolsHaveTheTemplateNamedForThem(string name)
    {
        string toolUse = File.ReadAllText(TestFiles.Asset("chat-templates", name + ".jinja"));
        string[] lines = [.. File.ReadLines(TestFiles.Golden("chat", name + ".jsonl"))];
        using var folder = new TempFolder();
        var listed = new[] { new { name = "default", template = "plain" }, new { name = "tool_use", template = toolUse } };
        File.WriteAllText(folder.File("tokenizer_config.json"), JsonSerializer.Serialize(new { chat_template = listed }));
        File.WriteAllText(folder.File("config.json"), "{}");
        File.WriteAllLines(folder.File("f.jsonl"), lines);
        string[] got = CliRun.Of("template", "--model", folder.Path, "--file", folder.File("f.jsonl"), "--now", "2024-07-26").Out.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(lines.Length, got.Length);
        int withTools = 0;
        foreach ((string line, string rendered) in lines.Zip(got))
        {
            using JsonDocument golden = JsonDocument.Parse(line), made = JsonDocument.Parse(rendered);
            bool hasTools = golden.RootElement.TryGetProperty("tools", out JsonElement tools) && tools.ValueKind != JsonValueKind.Null;
            Assert.Equal(hasTools ? golden.RootElement.GetProperty("rendered").GetString() : "plain", made.RootElement.GetProperty("rendered").GetString());
            withTools += hasTools ? 1 : 0;
        }

        Assert.Equal(16, withTools);
    }

    [Fact]
    public void ModelsMayLackOneOfTheTemplates()
    {
        using var folder = new TempFolder();
        const string Tools = "{\"messages\":[],\"tools\":[]}";
        File.WriteAllText(folder.File("config.json"), "{}");
        Directory.CreateDirectory(folder.File("additional_chat_templates"));
        File.WriteAllText(folder.File("additional_chat_templates", "tool_use.jinja"), "T");
        string file = folder.File("f.jsonl");
        File.WriteAllText(file, Tools);
        Assert.Equal(new CliRun(0, "{\"rendered\":\"T\"}\n", ""), CliRun.Of("template", "--model", folder.Path, "--file", file));
        File.WriteAllText(file, Tools + "\n" + Chat);
        CliRun.Of("template", "--model", folder.Path, "--file", file).AssertRefused($"model {folder.Path}: expected a chat template named default, which line 2 is rendered with, got others alone");
        File.WriteAllText(folder.File("chat_template.jinja"), "D");
        Assert.Equal("{\"rendered\":\"T\"}\n{\"rendered\":\"D\"}\n", CliRun.Of("template", "--model", folder.Path, "--file", file).Out);
        // In a GGUF file, too; and a template that cannot be read counts where it is needed.
        string model = TestModels.WriteChanged(folder.File("m.gguf"), static metadata =>
        {
            metadata.Set("tokenizer.chat_template", "D2");
            metadata.Set("tokenizer.chat_template.tool_use", "{% for %}");
        });
        CliRun.Of("template", "--model", model, "--file", file).AssertRefused("TemplateSyntaxError: Expected an expression, got 'end of statement block' (template, line 1)");
        File.WriteAllText(file, Chat);
        Assert.Equal("{\"rendered\":\"D2\"}\n", CliRun.Of("template", "--model", model, "--file", file).Out);
    }

    [Fact]
    public void RefusesWhatItCannotDo()
    {
        using var folder = new TempFolder();
        string template = folder.File("t.jinja"), file = folder.File("f.jsonl");
        File.WriteAllText(template, "{{ messages }}");
        File.WriteAllText(file, Chat + "\n[1]\n");
        CliRun.Of("template", "--template", template).AssertRefused("option --file: expected a file of conversations, got none (see puna template --help)");
        CliRun.Of("template", "--template", template, "--file", file).AssertRefused($"line 2: expected a JSON object, got Array ({file})");
        CliRun.Of("template", "--template", template, "--file", file, "--now", "26 Jul").AssertRefused("option --now: expected a date such as 2024-07-26, got '26 Jul'");
        File.WriteAllText(file, "{\"messages\":1}");
        CliRun.Of("template", "--template", template, "--file", file).AssertRefused($"line 1: expected a list \"messages\", got Number ({file})");
        File.WriteAllText(file, Chat);
        File.WriteAllText(template, "a\n{% for %}");
        CliRun.Of("template", "--template", template, "--file", file).AssertRefused("TemplateSyntaxError: Expected an expression, got 'end of statement block' (template, line 2)");
    }
}
