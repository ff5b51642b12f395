using System.Text;
using System.Text.Json;
using Puna.Text.Templates;

namespace Puna.Fuzz.Targets;

/// <summary>Chat templates: any text is one or is refused, and rendering one ends within its limits.</summary>
public sealed class ChatTemplateTarget : IFuzzTarget
{
    // Small, because everything an input allocates counts.
    private static readonly TemplateLimits Limits = new() { Steps = 20_000, Size = 200_000 };

    private static readonly string[] Words =
    [
        "{{", "}}", "{%", "%}", "{#", "#}", "{%- ", " -%}", "if ", "endif", "else", "for x in ", "endfor", "set x = ", "macro m(a, b=1)", "endmacro", "messages", "tools", "x", "loop", "namespace()", "[0]", "[::-1]",
        "|tojson(indent=4)", "|trim", "|join(', ')", "|map(attribute='role')|list", "|selectattr('role', 'equalto', 'user')", "|sort", "|replace('a', 'aaaaaaaa')", "|format(1)", "|center(100000000)", "|indent(9999999)",
        " * 1000000", " ** 99999", "range(99999)", "'%99999999d' % 1", "'{:>99999999}'.format(x)", ".items()", ".split(',')", " is defined", " in ", " ~ ", "(((((((((", "[[[[[[[[", "-", "not ", "{'a': ", ", ", "'", "\"", "\n", "\\",
        "{% for a in range(1000) %}", "{% set ns.t = (ns.t, ns.t) %}", "m(m(x))", "1e308", "0x1f", "\uD83E\uDD99", "|batch(99999999, 0)|list", ".append(1)", ".__class__", "loop(x)", " recursive", "|dictsort", "|groupby('role')",
    ];

    private static readonly JsonElement Variables = JsonDocument.Parse(
        "{\"messages\":[{\"role\":\"user\",\"content\":\" Hi \"},{\"role\":\"assistant\",\"content\":\"a\",\"tool_calls\":[{\"function\":{\"name\":\"f\",\"arguments\":{\"a\":[1,2.5,null]}}}]}],\"tools\":[{\"name\":\"f\"}],\"bos_token\":\"<s>\"}").RootElement;

    /// <inheritdoc/>
    public string Name => "chat-template";

    /// <inheritdoc/>
    public IReadOnlyList<byte[]> Corpus { get; } =
    [
        "{{- bos_token }}\n{%- for m in messages %}\n    {%- if m.role == 'user' %}\n        {{- '[' + m['content']|trim + ']' }}\n    {%- elif m.tool_calls is defined %}{{ m.tool_calls[0].function | tojson(indent=2) }}\n    {%- endif %}\n{%- endfor %}\n"u8.ToArray(),
        "{% macro t(x, n=2) %}{% if x is string %}{{ x * n }}{% elif x is mapping %}{% for k, v in x|items %}{{ k }}: {{ t(v) }}{{ ', ' if not loop.last }}{% endfor %}{% else %}{{ x }}{% endif %}{% endmacro %}{{ t(messages[0]) }}"u8.ToArray(),
        "{% set ns = namespace(i=0, t=()) %}{% for x in range(5) %}{% if x == 3 %}{% break %}{% endif %}{% set ns.i = ns.i + x %}{% endfor %}{{ ns.i // 2 }}{{ '%05.2f|%s' % (ns.i, x) }}{{ '{:>8,}'.format(1234) }}"u8.ToArray(),
        "{# c #}{% raw %}{{ a }}{% endraw %}{% filter upper %}a{% endfilter %}{% macro c() %}{{ caller(1) }}{% endmacro %}{% call(v) c() %}{{ v }}{% endcall %}"u8.ToArray(),
        "{{ messages|map(attribute='role')|join(', ') }}{{ messages|selectattr('role','equalto','user')|list|length }}{{ [3,1,2]|sort|reverse|list }}{{ 'a,b'.split(',')[-1] }}{{ 7 / 2 ~ -7 % 3 }}{{ messages[::-1][0].role }}"u8.ToArray(),
    ];

    /// <inheritdoc/>
    public byte[]? MutateStructure(FuzzRandom random, byte[] input)
    {
        string text = Encoding.UTF8.GetString(input);
        for (int changes = random.Changes(8); changes > 0; changes--)
        {
            int at = random.Below(text.Length + 1), end = random.OneIn(2) ? at : Math.Min(text.Length, at + random.Below(12));
            string word = random.Pick<string>(Words);
            text = text[..at] + (random.OneIn(20) ? string.Concat(Enumerable.Repeat(word, 300)) : word) + text[end..];
        }

        return Encoding.UTF8.GetBytes(text);
    }

    /// <inheritdoc/>
    public void Run(byte[] input) => ChatTemplate.Parse(Encoding.UTF8.GetString(input), Limits).Render(Variables, new DateTime(2024, 7, 26, 0, 0, 0, DateTimeKind.Unspecified));
}
