using System.Text;
using Puna.Text.Tools;

namespace Puna.Text.Tests.Tools;

public class ToolCallParserTests
{
    private static readonly ToolSignature[] Declared = [new("get_weather", ["place", "unit"]), new("f", [])];

    private static readonly ToolSignature[] WithBuiltIns = [.. Declared, new("brave_search", ["query"]), new("wolfram_alpha", ["query"]), new("code_interpreter", ["code"])];

    // What comes out, calls in angle brackets; expected values follow from the formats of spec serving.md 8.1 and 8.2.
    public static TheoryData<string, string> Replies { get; } = new()
    {
        { "Just text.", "Just text." },
        { "  text \n", "  text \n" },
        { "", "" },
        { "{\"type\": \"function\", \"name\": \"get_weather\", \"parameters\": {\"place\": \"Chivay\", \"n\": [1, {\"a\": null}]}}", "<get_weather {\"place\":\"Chivay\",\"n\":[1,{\"a\":null}]}>" },
        { "\n {\"name\": \"f\", \"arguments\": {}}\n", "<f {}>" },
        { "\r\n\t{\"name\": \"f\"}", "<f {}>" },
        { "\f{\"name\": \"f\"}", "\f{\"name\": \"f\"}" },
        { "\v{\"name\": \"f\"}", "\v{\"name\": \"f\"}" },
        { " \u00a0{\"name\": \"f\"}", " \u00a0{\"name\": \"f\"}" },
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
        { "[f(a=1), g(a=2)]", "<f {\"a\":1}>, g(a=2)]" },
        { "[f(a=x)]", "[f(a=x)]" },
        { "[f(a=1, a=2)]", "<f {\"a\":1> a=2)]" },
        { "[f(a=1)", "<f {\"a\":1}>" },
        { "[f(a=1", "[f(a=1" },
        { "[f(a=\"it", "<f {\"a\":\"it>" },
        { "[f(a=\"x\", b=tru", "<f {\"a\":\"x\">" },
        { "{\"name\": \"f\", \"parameters\": {\"a\": [1, \"b\\n", "<f {\"a\":[1,\"b\\n>" },
        { "{\"name\": \"f\", \"parameters\": {\"a\": 1}", "<f {\"a\":1}>" },
        { "{\"name\": \"f\", \"parameters\": {\"a\": 1 oops}} yes", "<f {\"a\":1>oops}} yes" },
        { "{\"name\": \"f\", \"parameters\": {\"a\": 01}}", "<f {\"a\":> 01}}" },
        { "{\"parameters\": {\"a\": 1}, \"name\": \"f\", \"id\": [1, {}]}", "<f {\"a\":1}>" },
        { "{\"type\": \"function\", \"function\": {\"name\": \"f\", \"arguments\": {\"a\": \"\\u00e9\\/\"}}}", "<f {\"a\":\"é/\"}>" },
        { "{\"name\": \"f\", \"parameters\": null}", "<f {}>" },
        { "{\"name\": \"f\"}", "<f {}>" },
        { "{\"name\": \"f\", \"arguments\": \"no JSON\"}", "{\"name\": \"f\", \"arguments\": \"no JSON\"}" },
        { "{\"name\": \"f\", \"parameters\": {\"s\": \"\\ud83e\\udd99 \\ud83e x\"}}", "<f {\"s\":\"\U0001F999 \uFFFD x\"}>" },
        { "[{\"name\": \"f\", \"parameters\": {\"a\": 1}}, {\"name\": \"f\", \"arguments\": {}}]", "<f {\"a\":1}><f {}>" },
        { "[{\"a\": 1}]", "[{\"a\": 1}]" },
        { "[]", "[]" },
        { "<tool_call>\n{\"name\": \"f\", \"arguments\": {\"a\": 1}}\n</tool_call>\n<tool_call>\n{\"arguments\": {}, \"name\": \"f\"}\n</tool_call>", "<f {\"a\":1}><f {}>" },
        { "<tool_call>\nnone</tool_call>", "<tool_call>\nnone</tool_call>" },
        { "[f(a=(1), b=(), c=(1, (2)), d=((3,), [4, ], {'k': (5), \"l\" 'm': 6,}), e='a' \"b\")]", "<f {\"a\":1,\"b\":[],\"c\":[1,2],\"d\":[[3],[4],{\"k\":5,\"lm\":6}],\"e\":\"ab\"}>" },
        { "[get_weather(True, unit = None)]", "<get_weather {\"place\":true,\"unit\":null}>" },
        { "[get_weather(unit='c', 'x')]", "<get_weather {\"unit\":\"c\"> 'x')]" },
        { "[f(n=+1_000, x=.5, y=1e3, z=-0)]", "<f {\"n\":1000,\"x\":0.5,\"y\":1000.0,\"z\":0}>" },
        { "[f(n=007)]", "[f(n=007)]" },
        { "[f(a={b c: 1})]", "<f {\"a\":{>b c: 1})]" },
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
            // All pairs of cuts where there are few, otherwise a piece of one character and one of seven.
            for (int second = first; second <= reply.Length; second += reply.Length < 50 ? 1 : second == first + 1 ? 6 : second > first ? reply.Length : 1)
                Assert.Equal(expected, Show(Stream([reply[..first], reply[first..second], reply[second..]], isCode: false)));
        }

        Assert.Equal(expected, Show(Stream([.. reply.Select(static c => c.ToString())], isCode: false)));
    }

    [Theory]
    [InlineData("brave_search.call(query=\"x\")", "brave_search.call(query=\"x\")")]
    [InlineData(" import math", " import math")]
    [InlineData("{\"name\": \"f\", \"parameters\": {\"a\": 1}} x", "<f {\"a\":1}> x")]
    [InlineData(" {\"oops\"", " {\"oops\"")]
    public void CodeIsNoCallOfAToolThatThereIsNot(string reply, string expected) => Assert.Equal(expected, Show(Stream([reply], isCode: true, Declared)));

    [Fact]
    public void CallsComeAsTheyAreWritten()
    {
        // After each piece, what is certain has been told: the name when the arguments begin, then their text.
        Assert.Equal(
            ["Hm.", "", "", "", " <f {\"a\":\"x", "y", "\",\"b\":1", "}", "", "", "<f {}", ""],
            Steps("Hm. ", "[f(", "a=", "", "\"x", "y", "\", b=1,", ")", ", f", "(", ")", "]"));
        Assert.Equal(
            ["", "", "<f {\"", "a\":\"x", "\\n", "\"}", ""],
            Steps(" {\"name\": \"f\", ", "\"parameters\": {", " \"", "a\" : \"x", "\\n", "\" }", " }"));
    }

    [Fact]
    public void WhatIsNoCallIsTextAsSoonAsThatIsCertain() =>
        Assert.Equal(["", "{\"answer\"", ": 42}", "", "[see]"], [.. Steps("{\"answer", "\"", ": 42}"), .. Steps("[see", "]")]);

    [Fact]
    public void CallsHaveIdsOfTheirOwn()
    {
        string[] ids = [.. ToolCallParser.Parse("[f(), f()]", Declared).OfType<ToolEvent.CallStart>().Select(static start => start.Id)];
        Assert.Equal(2, ids.Distinct().Count());
        Assert.All(ids, static id => Assert.Matches("^call_[0-9A-Za-z]{24}$", id));
    }

    [Theory]
    [InlineData("brave_search.call(query=\"llama \"wool\" price\")", "<brave_search {\"query\":\"llama \\\"wool\\\" price\"}>")]
    [InlineData("wolfram_alpha.call(query=\"1+1\")", "<wolfram_alpha {\"query\":\"1+1\"}>")]
    [InlineData("{\"name\": \"f\", \"parameters\": {\"a\": 1}}", "<f {\"a\":1}>")]
    [InlineData("[f(a=1)]", "<f {\"a\":1}>")]
    [InlineData("brave_search.call(query=\"x", "<brave_search {\"query\":\"x>")]
    [InlineData(" brave_search.call(query=\"x\")\nprint(1)", "<brave_search {\"query\":\"x\"}>\nprint(1)")]
    [InlineData(" brave_search(\"x\")", "<code_interpreter {\"code\":\" brave_search(\\\"x\\\")\"}>")]
    [InlineData("import math\nprint(math.pi)", "<code_interpreter {\"code\":\"import math\\nprint(math.pi)\"}>")]
    [InlineData("", "")]
    public void AfterThePythonTag(string reply, string expected)
    {
        Assert.Equal(expected, Show(Stream([reply], isCode: true, WithBuiltIns)));
        for (int cut = 0; cut <= reply.Length; cut++)
            Assert.Equal(expected, Show(Stream([reply[..cut], reply[cut..]], isCode: true, WithBuiltIns)));
    }

    // A call without the tag, as Meta's encoder writes it and its parser reads it (spec llama1-3.md 6.7, llama4.md 7.5).
    public static TheoryData<string, string> BuiltInReplies { get; } = new()
    {
        { "brave_search.call(query=\"llama wool\")", "<brave_search {\"query\":\"llama wool\"}>" },
        { "\n wolfram_alpha.call(query=\"1 \\ 2\")\n", "<wolfram_alpha {\"query\":\"1 \\\\ 2\"}>" },
        { "brave_search.call(query=\"llama \"wool\" price\")", "<brave_search {\"query\":\"llama \\\"wool\\\" price\"}>" },
        { "brave_search.call(query=\"\"wool\"\")", "<brave_search {\"query\":\"\\\"wool\\\"\"}>" },
        { "brave_search.call(query=\"(\"a\") (\"b\")\")", "<brave_search {\"query\":\"(\\\"a\\\") (\\\"b\\\")\"}>" },
        { "brave_search.call(query=\"\")", "<brave_search {\"query\":\"\"}>" },
        { "brave_search.call(query=\"a\")wolfram_alpha.call(query=\"b\")", "<brave_search {\"query\":\"a\"}><wolfram_alpha {\"query\":\"b\"}>" },
        { "brave_search.call(query=\"a\"); brave_search.call(query=\"b\")\n[f()]", "<brave_search {\"query\":\"a\"}><brave_search {\"query\":\"b\"}><f {}>" },
        { "brave_search.call(query=\"a\"){\"name\": \"f\", \"parameters\": {}}", "<brave_search {\"query\":\"a\"}><f {}>" },
        { "{\"name\": \"f\", \"parameters\": {}}brave_search.call(query=\"a\")", "<f {}><brave_search {\"query\":\"a\"}>" },
        { "brave_search.call(query=\"a\") Let me look.\nSoon (\"b\")", "<brave_search {\"query\":\"a\"}> Let me look.\nSoon (\"b\")" },
        { "brave_search.call(query=\"a\") [f(a=\"it", "<brave_search {\"query\":\"a\"}><f {\"a\":\"it>" },
        { "brave_search.call(query=\"a\")photogen.call(query=\"b\")", "<brave_search {\"query\":\"a\\\")photogen.call(query=\\\"b\"}>" },
        { "brave_search.call(query=\"two\nlines\")", "<brave_search {\"query\":\"two\\nlines\"}>" },
        { "brave_search.call(query=\"cut sh", "<brave_search {\"query\":\"cut sh>" },
        { "brave_search.call(query=\"cut\"", "<brave_search {\"query\":\"cut>" },
        { "brave_search.call(query=\"", "<brave_search {\"query\":\">" },
        { "brave_search.call(query=", "brave_search.call(query=" },
        { "brave_search.call(query='x')", "brave_search.call(query='x')" },
        { "brave_search.call(q=\"x\")", "brave_search.call(q=\"x\")" },
        { "brave_search finds [f()]", "brave_search finds <f {}>" },
        { "brave_search.ca{\"name\": \"f\"}", "brave_search.ca{\"name\": \"f\"}" },
        { "bwp", "bwp" },
        { "photogen.call(query=\"x\")", "photogen.call(query=\"x\")" },
        { "f.call(query=\"x\")", "f.call(query=\"x\")" },
        { "I say brave_search.call(query=\"x\")", "I say brave_search.call(query=\"x\")" },
        { "`brave_search.call(query=\"x\")`", "`brave_search.call(query=\"x\")`" },
    };

    [Theory]
    [MemberData(nameof(BuiltInReplies))]
    public void BuiltInToolsNeedNoTag(string reply, string expected)
    {
        Assert.Equal(expected, Show(ToolCallParser.Parse(reply, WithBuiltIns)));
        Assert.Equal(expected, Show(Stream([.. reply.Select(static c => c.ToString())], isCode: false, WithBuiltIns)));
        for (int first = 0; first <= reply.Length; first++)
        {
            for (int second = first; second <= reply.Length; second++)
                Assert.Equal(expected, Show(Stream([reply[..first], reply[first..second], reply[second..]], isCode: false, WithBuiltIns)));
        }
    }

    [Fact]
    public void QueriesComeAsTheyAreWritten()
    {
        var parser = new ToolCallParser(WithBuiltIns);
        List<string> steps = [];
        foreach (string part in (string[])["brave", "_search.call(", "query=\"", "lla", "ma \"", "wool\"", ") or", "\")", "\n"])
        {
            List<ToolEvent> events = [];
            parser.Push(part, events);
            steps.Add(Show(events));
        }

        Assert.Equal(["", "", "<brave_search {\"query\":\">", "lla>", "ma >", "\\\"wool>", "", "\\\") or>", "\"}>"], steps);
    }

    [Fact]
    public void UndeclaredBuiltInToolsAreNotCalled()
    {
        Assert.Equal("brave_search.call(query=\"x\")", Show(ToolCallParser.Parse("brave_search.call(query=\"x\")", Declared)));
        Assert.Equal("brave_search.call(query=\"x\")", Show(ToolCallParser.Parse("brave_search.call(query=\"x\")", WithBuiltIns, ToolFormats.All & ~ToolFormats.BuiltIn)));
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
    public void WhatIsUndecidedForTooLongIsText()
    {
        string reply = "{\"parameters\": {\"a\": \"" + new string('x', ToolCallParser.LongestCall) + "\"}, \"name\": \"f\"}";
        Assert.Equal(reply, Show(ToolCallParser.Parse(reply, Declared)));
    }

    [Fact]
    public void DepthIsLimited()
    {
        string deep = string.Concat(Enumerable.Repeat("[", 100_000));
        Assert.StartsWith("<f {\"a\":[[", Show(ToolCallParser.Parse("[f(a=" + deep, Declared)), StringComparison.Ordinal);
        Assert.StartsWith("<f {\"a\":[[", Show(ToolCallParser.Parse("{\"name\": \"f\", \"parameters\": {\"a\": " + deep, Declared)), StringComparison.Ordinal);
    }

    private static List<ToolEvent> Stream(string[] parts, bool isCode, ToolSignature[]? tools = null)
    {
        var events = new List<ToolEvent>();
        var parser = new ToolCallParser(tools ?? Declared);
        if (isCode)
            parser.PushPythonTag(events);
        foreach (string part in parts)
            parser.Push(part, events);
        parser.Finish(events);
        return events;
    }

    private static List<string> Steps(params string[] parts)
    {
        var parser = new ToolCallParser(Declared);
        var steps = new List<string>();
        foreach (string part in parts)
        {
            var events = new List<ToolEvent>();
            parser.Push(part, events);
            steps.Add(string.Concat(events.Select(static found => found switch
            {
                ToolEvent.CallStart start => "<" + start.Name + " ",
                ToolEvent.Arguments more => more.Delta,
                ToolEvent.Text text => text.Value,
                _ => "",
            })));
        }

        return steps;
    }

    private static string Show(IEnumerable<ToolEvent> events)
    {
        var text = new StringBuilder();
        bool isCall = false;
        foreach (ToolEvent found in events)
        {
            if (isCall && found is not ToolEvent.Arguments)
                text.Append('>');
            isCall = found is not ToolEvent.Text;
            _ = found switch
            {
                ToolEvent.CallStart start => text.Append('<').Append(start.Name).Append(' '),
                ToolEvent.Arguments more => text.Append(more.Delta),
                _ => text.Append(((ToolEvent.Text)found).Value),
            };
        }

        return text.Append(isCall ? ">" : "").ToString();
    }
}
