using System.Text;
using Puna.Text.Tools;

namespace Puna.Text.Tests.Tools;

public class ToolCallParserTests
{
    private static readonly ToolSignature[] Declared = [new("get_weather", ["place", "unit"]), new("f", [])];

    // What comes out, calls in angle brackets; expected values follow from the formats of spec serving.md 8.1 and 8.2.
    public static TheoryData<string, string> Replies { get; } = new()
    {
        { "Just text.", "Just text." },
        { "  text \n", "  text \n" },
        { "", "" },
        { "{\"type\": \"function\", \"name\": \"get_weather\", \"parameters\": {\"place\": \"Chivay\", \"n\": [1, {\"a\": null}]}}", "<get_weather {\"place\":\"Chivay\",\"n\":[1,{\"a\":null}]}>" },
        { "\n {\"name\": \"f\", \"arguments\": {}}\n", "<f {}>" },
        { "{\"name\": \"f\", \"arguments\": \"{\\\"a\\\": 1}\"}", "<f {\"a\":1}>" },
        { "{\"name\": \"f\", \"parameters\": {}}; {\"name\": \"f\", \"parameters\": {\"b\": \"}\\\"{\"}}", "<f {}><f {\"b\":\"}\\\"{\"}>" },
        { "{\"name\": \"unknown\", \"parameters\": {}}", "{\"name\": \"unknown\", \"parameters\": {}}" },
        { "{\"name\": \"f\", \"parameters\": [1]}", "{\"name\": \"f\", \"parameters\": [1]}" },
        { "{\"name\": \"f\", \"parameters\": {", "{\"name\": \"f\", \"parameters\": {" },
        { "Here: {\"name\": \"f\", \"parameters\": {}}", "Here: {\"name\": \"f\", \"parameters\": {}}" },
        { "{\"answer\": 42} is it", "{\"answer\": 42} is it" },
        { "<function=get_weather>{\"place\": {\"a\": \"</function>\"}}</function>", "<get_weather {\"place\":{\"a\":\"</function>\"}}>" },
        { "<function=f>{}", "<f {}>" },
        { "Let me see. <function=f>{\"a\": 1}</function> Done", "Let me see. <f {\"a\":1}> Done" },
        { "<function=g>{}</function>", "<function=g>{}</function>" },
        { "<function=f>{oops}</function>", "<function=f>{oops}</function>" },
        { "a < b <func", "a < b <func" },
        { "[get_weather(place=\"Chivay\", unit='c'), f(a=1, b=-2.5, c=True, d=None, e=[1, 2,], g={'k': \"v\"}, h=(1,), i=false)]", "<get_weather {\"place\":\"Chivay\",\"unit\":\"c\"}><f {\"a\":1,\"b\":-2.5,\"c\":true,\"d\":null,\"e\":[1,2],\"g\":{\"k\":\"v\"},\"h\":[1],\"i\":false}>" },
        { "[get_weather('Chivay', \"c\")]", "<get_weather {\"place\":\"Chivay\",\"unit\":\"c\"}>" },
        { "[f(s='it\\'s \\x41\\u00e9\\n' \"two\")]", "<f {\"s\":\"it's Aé\\ntwo\"}>" },
        { "[f(s=\"[(]\")]", "<f {\"s\":\"[(]\"}>" },
        { "[f(d={a=1})]", "<f {\"d\":{\"a\":1}}>" },
        { "[f()]", "<f {}>" },
        { "Sure: [f(a=1)]", "Sure: <f {\"a\":1}>" },
        { "See [1] and [f] and [g(a=1)]", "See [1] and [f] and [g(a=1)]" },
        { "[f(a=1), g(a=2)]", "[f(a=1), g(a=2)]" },
        { "[f(a=x)]", "[f(a=x)]" },
        { "[f(a=1, a=2)]", "[f(a=1, a=2)]" },
        { "[f(a=1)", "[f(a=1)" },
        { "[f(a=12345678901234567890123)]", "<f {\"a\":12345678901234567890123}>" },
    };

    [Theory]
    [MemberData(nameof(Replies))]
    public void FindsCalls(string reply, string expected) => Assert.Equal(expected, Show(ToolCallParser.Parse(reply, Declared)));

    [Theory]
    [MemberData(nameof(Replies))]
    public void EveryCutGivesTheSame(string reply, string expected)
    {
        for (int first = 0; first <= reply.Length; first++)
        {
            for (int second = first; second <= reply.Length; second++)
                Assert.Equal(expected, Show(Stream([reply[..first], reply[first..second], reply[second..]], isCode: false)));
        }

        Assert.Equal(expected, Show(Stream([.. reply.Select(static c => c.ToString())], isCode: false)));
    }

    [Theory]
    [InlineData("brave_search.call(query=\"llama \"wool\" price\")", "<brave_search {\"query\":\"llama \\\"wool\\\" price\"}>")]
    [InlineData("wolfram_alpha.call(query=\"1+1\")", "<wolfram_alpha {\"query\":\"1+1\"}>")]
    [InlineData("{\"name\": \"f\", \"parameters\": {\"a\": 1}}", "<f {\"a\":1}>")]
    [InlineData("[f(a=1)]", "<f {\"a\":1}>")]
    [InlineData("import math\nprint(math.pi)", "<code_interpreter {\"code\":\"import math\\nprint(math.pi)\"}>")]
    [InlineData("", "")]
    public void AfterThePythonTag(string reply, string expected)
    {
        Assert.Equal(expected, Show(Stream([reply], isCode: true)));
        for (int cut = 0; cut <= reply.Length; cut++)
            Assert.Equal(expected, Show(Stream([reply[..cut], reply[cut..]], isCode: true)));
    }

    [Fact]
    public void TextCannotForgeThePythonTag() =>
        Assert.Equal("<|python_tag|>brave_search.call(query=\"x\")", Show(ToolCallParser.Parse("<|python_tag|>brave_search.call(query=\"x\")", Declared)));

    [Fact]
    public void FormatsThatAreNotAskedForAreText()
    {
        Assert.Equal("[f(a=1)]", Show(ToolCallParser.Parse("[f(a=1)]", Declared, ToolFormats.Json)));
        Assert.Equal("{\"name\":\"f\"}", Show(ToolCallParser.Parse("{\"name\":\"f\"}", Declared, ToolFormats.Pythonic)));
    }

    [Fact]
    public void CodeThatEndsIsFollowedByText()
    {
        var events = new List<ToolEvent>();
        var parser = new ToolCallParser(Declared);
        parser.PushPythonTag(events);
        parser.Push("[f(a=1)]", events);
        parser.PushPythonEnd(events);
        parser.Push("{\"name\": \"f\"}", events);
        parser.Finish(events);
        Assert.Equal("<f {\"a\":1}><f {}>", Show(events));
    }

    [Fact]
    public void OverlongCallsAreText()
    {
        string reply = "{\"name\": \"f\", \"parameters\": {\"a\": \"" + new string('x', ToolCallParser.LongestCall) + "\"}}";
        Assert.Equal(reply, Show(ToolCallParser.Parse(reply, Declared)));
    }

    private static List<ToolEvent> Stream(string[] parts, bool isCode)
    {
        var events = new List<ToolEvent>();
        var parser = new ToolCallParser(Declared);
        if (isCode)
            parser.PushPythonTag(events);
        foreach (string part in parts)
            parser.Push(part, events);
        parser.Finish(events);
        return events;
    }

    private static string Show(IEnumerable<ToolEvent> events)
    {
        var text = new StringBuilder();
        foreach (ToolEvent found in events)
            _ = found.Call is { } call ? text.Append('<').Append(call.Name).Append(' ').Append(call.Arguments).Append('>') : text.Append(found.Text);
        return text.ToString();
    }
}
