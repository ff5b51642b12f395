using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Puna.Text.Tools;

namespace Puna.Fuzz.Targets;

/// <summary>Replies with calls of tools: nothing is refused, calls are valid JSON, and pieces of any size give what the whole gives.</summary>
public sealed class ToolCallTarget : IFuzzTarget
{
    private static readonly ToolSignature[] Tools = [new("f", ["a", "b"]), new("get_weather", ["place", "unit"]), new("brave_search", ["query"]), new("wolfram_alpha", ["query"]), new("code_interpreter", ["code"])];

    private static readonly string[] Words =
    [
        "{\"name\": \"f\", \"parameters\": ", "{}", "\"arguments\"", "<function=f>", "</function>", "[f(", "get_weather(place=", ")", "]", "[", "{", "}", "\"", "'", "\\", "\\u00e9", "\\ud800", ", ", "a=", "1e9", "-1", "None", "True",
        "brave_search.call(query=\"", "wolfram_alpha.call(query=\"", "\")", "\n", " ", ";", "[{", "<tool_call>", "</tool_call>", "\"function\": {", "[[[[[[[[", "{{{{{{{{", "[f(f(", "<<<<", "<function=", "\uD83E\uDD99", "1_0", "0x", "(1,)", "{k=1}", "f()",
    ];

    /// <inheritdoc/>
    public string Name => "tool-call";

    /// <inheritdoc/>
    public bool AcceptsEverything => true;

    /// <inheritdoc/>
    public IReadOnlyList<byte[]> Corpus { get; } =
    [
        "{\"name\": \"f\", \"parameters\": {\"a\": [1, {\"b\": \"\\u00e9\\\"\"}]}}; {\"name\": \"get_weather\", \"arguments\": \"{}\"}"u8.ToArray(),
        "text <function=f>{\"a\": {\"b\": \"</function>\"}}</function>\n<function=get_weather>{}"u8.ToArray(),
        "[f(a=1, b=-2.5e3), get_weather(\"Chivay\", unit='c'), f(a=[1, (2,), {'k': None}], b=True)]"u8.ToArray(),
        "brave_search.call(query=\"llama \"wool\"\")"u8.ToArray(),
        "[{\"name\": \"f\", \"parameters\": {\"a\": 1}}, {\"function\": {\"arguments\": {}, \"name\": \"f\"}}]"u8.ToArray(),
        "<tool_call>\n{\"name\": \"f\", \"arguments\": {\"b\": \"x\"}}\n</tool_call>"u8.ToArray(),
        "Prose [1] and [f(a='x\\n')] more {\"name\": 1}"u8.ToArray(),
    ];

    /// <inheritdoc/>
    public byte[]? MutateStructure(FuzzRandom random, byte[] input)
    {
        string text = Encoding.UTF8.GetString(input);
        for (int changes = random.Changes(8); changes > 0; changes--)
        {
            int at = random.Below(text.Length + 1), end = random.OneIn(2) ? at : Math.Min(text.Length, at + random.Below(12));
            text = text[..at] + random.Pick<string>(Words) + text[end..];
        }

        return Encoding.UTF8.GetBytes(text);
    }

    /// <inheritdoc/>
    public void Run(byte[] input)
    {
        string text = Encoding.UTF8.GetString(input);
        foreach (bool isCode in (ReadOnlySpan<bool>)[false, true])
        {
            string whole = Show(text, text.Length + 1, isCode);
            foreach (int size in (ReadOnlySpan<int>)[1, 3, 7])
            {
                if (Show(text, size, isCode) != whole)
                {
                    throw new InvalidOperationException($"pieces of {size} give something else");
                }
            }
        }
    }

    private static string Show(string text, int size, bool isCode)
    {
        var events = new List<ToolEvent>();
        var parser = new ToolCallParser(Tools);
        if (isCode)
        {
            parser.PushPythonTag(events);
        }

        for (int at = 0; at < text.Length; at += size)
        {
            parser.Push(text.AsSpan(at, Math.Min(size, text.Length - at)), events);
        }

        parser.Finish(events);
        var shown = new StringBuilder();
        var arguments = new Dictionary<int, string?>();
        foreach (ToolEvent found in events)
        {
            if (found is ToolEvent.Arguments part)
            {
                CollectionsMarshal.GetValueRefOrAddDefault(arguments, part.Index, out _) += part.Delta;
            }

            _ = found switch
            {
                ToolEvent.CallStart start => shown.Append('\u0001').Append(start.Name).Append('\u0002'),
                ToolEvent.Arguments more => shown.Append(more.Delta),
                _ => shown.Append(((ToolEvent.Text)found).Value),
            };
        }

        foreach (string? json in arguments.Values)
        {
            CheckBeginning(Encoding.UTF8.GetBytes(json!));
        }

        return shown.ToString();
    }

    // What was told of a call's arguments is JSON, or the beginning of it.
    private static void CheckBeginning(byte[] json)
    {
        var reader = new Utf8JsonReader(json, isFinalBlock: false, new JsonReaderState(new JsonReaderOptions { MaxDepth = 1000 }));
        while (reader.Read())
        {
        }
    }
}
