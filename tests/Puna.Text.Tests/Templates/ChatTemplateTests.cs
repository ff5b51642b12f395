using System.Text.Json;
using Puna.Tests.Shared;
using Puna.Text.Templates;

namespace Puna.Text.Tests.Templates;

public class ChatTemplateTests
{
    private static readonly DateTime Day = new(2024, 7, 26, 0, 0, 0, DateTimeKind.Unspecified);

    // The oracle is Jinja2 itself: see the README beside the cases.
    [Fact]
    public void RendersWhatJinjaRenders()
    {
        string own = File.ReadAllText(TestFiles.Fixture("templates", "variables.json"));
        using JsonDocument variables = JsonDocument.Parse("{\"tools\":null,\"bos_token\":\"<|begin_of_text|>\",\"eos_token\":\"<|eot_id|>\"," + own[1..]);
        int count = 0;
        foreach (string line in File.ReadLines(TestFiles.Fixture("templates", "cases.jsonl")))
        {
            using JsonDocument json = JsonDocument.Parse(line);
            string template = json.RootElement.GetProperty("template").GetString()!;
            string want = json.RootElement.TryGetProperty("rendered", out JsonElement rendered) ? rendered.GetString()! : "! " + json.RootElement.GetProperty("error").GetString();
            Assert.Equal((template, want), (template, Render(template, variables.RootElement)));
            count++;
        }

        Assert.True(count > 100);
    }

    [Theory]
    [InlineData("meta-llama-Llama-3.1-8B-Instruct")]
    [InlineData("meta-llama-Llama-3.2-3B-Instruct")]
    [InlineData("meta-llama-Llama-3.3-70B-Instruct")]
    [InlineData("NousResearch-Hermes-2-Pro-Llama-3-8B-tool_use")]
    [InlineData("NousResearch-Hermes-3-Llama-3.1-8B-tool_use")]
    public void RendersTheGoldensOfPublishedTemplates(string name)
    {
        string golden = TestFiles.Golden("chat", name + ".jsonl");
        string template = File.ReadAllText(TestFiles.Asset("chat-templates", name + ".jinja"));
        foreach (string line in File.ReadLines(golden))
        {
            using JsonDocument json = JsonDocument.Parse(line);
            string want = json.RootElement.TryGetProperty("rendered", out JsonElement rendered) ? rendered.GetString()! : "! " + json.RootElement.GetProperty("error").GetString();
            string tools = json.RootElement.TryGetProperty("tools", out _) ? "" : "\"tools\":null,";
            using JsonDocument variables = JsonDocument.Parse("{" + tools + "\"bos_token\":\"<|begin_of_text|>\",\"eos_token\":\"<|eot_id|>\"," + line[1..]);
            Assert.Equal(want, Render(template, variables.RootElement));
        }
    }

    [Theory]
    [InlineData("{% for a in range(99999) %}{% for b in range(99999) %}{{ b }}{% endfor %}{% endfor %}", "LimitError")]
    [InlineData("{{ 'x' * 999999999999 }}", "LimitError")]
    [InlineData("{{ [0] * 999999999 }}", "LimitError")]
    [InlineData("{% set ns = namespace(s='x') %}{% for i in range(64) %}{% set ns.s = ns.s + ns.s %}{% endfor %}", "LimitError")]
    [InlineData("{% set ns = namespace(t=()) %}{% for i in range(99999) %}{% set ns.t = (ns.t, ns.t) %}{% endfor %}{{ ns.t }}", "RecursionError")]
    [InlineData("{% set ns = namespace(t=()) %}{% for i in range(40) %}{% set ns.t = (ns.t, ns.t) %}{% endfor %}{{ ns.t == [ns.t] }}{{ {ns.t: 1} }}", "LimitError")]
    [InlineData("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "RecursionError")]
    [InlineData("{{ 9 ** (9 ** 9) }}", "OverflowError")]
    [InlineData("{{ range(100001) }}", "OverflowError")]
    [InlineData("{{ '%999999999d' % 1 }}", "LimitError")]
    [InlineData("{{ '{:>999999999}'.format(1) }}", "LimitError")]
    [InlineData("{{ 'x'|center(999999999) }}", "LimitError")]
    [InlineData("{{ 'x'.zfill(2000000000) }}", "LimitError")]
    [InlineData("{{ [1]|tojson(indent=999999999) }}", "LimitError")]
    [InlineData("{{ [1]|batch(999999999, 0)|list }}", "LimitError")]
    [InlineData("{{ [1]|slice(999999999)|list }}", "LimitError")]
    [InlineData("{{ ('a' * 1000000)|replace('a', 'b' * 1000000) }}", "LimitError")]
    [InlineData("{{ (('x' * 1000)|list)|join('y' * 1000000) }}", "LimitError")]
    [InlineData("{{ ''.__class__.__mro__ }}", "SecurityError")]
    [InlineData("{{ messages.append(1) }}", "SecurityError")]
    [InlineData("{{ messages[0].update({}) }}", "SecurityError")]
    public void HostileTemplatesEndWithOneError(string template, string kind)
    {
        using JsonDocument variables = JsonDocument.Parse("{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}");
        var error = Assert.Throws<TemplateException>(() => ChatTemplate.Parse(template).Render(variables.RootElement, Day));
        Assert.Equal(kind, error.Kind);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Fact]
    public void NestingIsLimited()
    {
        foreach (string deep in new[] { "(", "[", "{1:", "-", "not ", "x(", "x[", "1 if ", "x is eq " })
        {
            string source = "{{ " + string.Concat(Enumerable.Repeat(deep, 5000));
            Assert.Throws<TemplateException>(() => ChatTemplate.Parse(source));
        }

        Assert.Equal("LimitError", Assert.Throws<TemplateException>(() => ChatTemplate.Parse("{{ 1" + string.Concat(Enumerable.Repeat(" + 1", 5000)) + " }}")).Kind);
        Assert.Equal("LimitError", Assert.Throws<TemplateException>(() => ChatTemplate.Parse(string.Concat(Enumerable.Repeat("{% if 1 %}", 5000)))).Kind);
        Assert.Equal("LimitError", Assert.Throws<TemplateException>(() => ChatTemplate.Parse(new string(' ', (1 << 20) + 1))).Kind);
    }

    [Fact]
    public void ErrorsNameTheLine() =>
        Assert.Equal("TemplateSyntaxError: Encountered unknown tag 'foo'. (template, line 3)", Assert.Throws<TemplateException>(() => ChatTemplate.Parse("a\nb\n{% foo %}")).Message);

    private static string Render(string template, JsonElement variables)
    {
        try
        {
            return ChatTemplate.Parse(template).Render(variables, Day);
        }
        catch (TemplateException e)
        {
            return "! " + e.Error;
        }
    }
}
