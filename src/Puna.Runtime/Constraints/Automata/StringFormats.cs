namespace Puna.Runtime.Constraints.Automata;

/// <summary>The values of <c>format</c> that are enforced, as expressions for the whole string.</summary>
internal static class StringFormats
{
    private const string Time = "([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,9})?(Z|z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])";

    // Days that exist: 31, 30, 28, and 29 February of leap years.
    private const string Date =
        "([0-9]{4}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))"
        + "|([0-9]{2}(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)-02-29)";

    private const string DomainLabel = "[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?";
    private const string Octet = "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";
    private const string Ipv4 = $"({Octet}\\.){{3}}{Octet}";
    private const string H = "[0-9A-Fa-f]{1,4}";

    private const string Ipv6 =
        $"(({H}:){{7}}{H}|({H}:){{1,7}}:|({H}:){{1,6}}:{H}|({H}:){{1,5}}(:{H}){{1,2}}|({H}:){{1,4}}(:{H}){{1,3}}|({H}:){{1,3}}(:{H}){{1,4}}"
        + $"|({H}:){{1,2}}(:{H}){{1,5}}|{H}:(:{H}){{1,6}}|:((:{H}){{1,7}}|:)|({H}:){{6}}{Ipv4}|::([fF]{{4}}:)?{Ipv4})";

    // RFC 3986.
    private const string Escaped = "%[0-9A-Fa-f]{2}";
    private const string PathChar = $"([A-Za-z0-9._~!$&'()*+,;=:@-]|{Escaped})";
    private const string UserInfo = $"(([A-Za-z0-9._~!$&'()*+,;=:-]|{Escaped})*@)?";
    private const string Host = $"(\\[{Ipv6}\\]|([A-Za-z0-9._~!$&'()*+,;=-]|{Escaped})*)";
    private const string Tail = $"(\\?({PathChar}|[/?])*)?(#({PathChar}|[/?])*)?";
    private const string Authority = $"//{UserInfo}{Host}(:[0-9]*)?(/{PathChar}*)*";
    private const string Uri = $"[A-Za-z][A-Za-z0-9+.-]*:({Authority}|/({PathChar}+(/{PathChar}*)*)?|{PathChar}+(/{PathChar}*)*|){Tail}";
    private const string NoColon = $"([A-Za-z0-9._~!$&'()*+,;=@-]|{Escaped})";
    private const string Relative = $"({Authority}|/({PathChar}+(/{PathChar}*)*)?|{NoColon}+(/{PathChar}*)*|){Tail}";

    private static readonly Dictionary<string, string> Expressions = new(StringComparer.Ordinal)
    {
        ["date"] = Date,
        ["time"] = Time,
        ["date-time"] = $"{Date}[Tt]{Time}",
        ["duration"] = "P([0-9]+W|([0-9]+Y([0-9]+M([0-9]+D)?)?|[0-9]+M([0-9]+D)?|[0-9]+D)(T([0-9]+H([0-9]+M([0-9]+S)?)?|[0-9]+M([0-9]+S)?|[0-9]+S))?|T([0-9]+H([0-9]+M([0-9]+S)?)?|[0-9]+M([0-9]+S)?|[0-9]+S))",
        ["uuid"] = "[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}",
        ["email"] = $"[A-Za-z0-9!#$%&'*+/=?^_`{{|}}~-]+(\\.[A-Za-z0-9!#$%&'*+/=?^_`{{|}}~-]+)*@{DomainLabel}(\\.{DomainLabel})*",
        ["hostname"] = $"{DomainLabel}(\\.{DomainLabel})*",
        ["ipv4"] = Ipv4,
        ["ipv6"] = Ipv6,
        ["uri"] = Uri,
        ["uri-reference"] = $"({Uri}|{Relative})",
        ["json-pointer"] = "(/([^/~]|~[01])*)*",
    };

    private static readonly System.Collections.Concurrent.ConcurrentDictionary<string, CodePointDfa> Compiled = new(StringComparer.Ordinal);

    /// <summary>Names of the enforced formats.</summary>
    public static IReadOnlyCollection<string> Names => Expressions.Keys;

    public static CodePointDfa? Find(string name, CompileBudget budget, string where)
    {
        if (!Expressions.TryGetValue(name, out string? expression))
        {
            return null;
        }

        CodePointDfa found = Compiled.GetOrAdd(name, (_, text) => RegexCompiler.Compile(text, false, new CompileBudget(ConstraintLimits.Default, default), name), expression);
        if (name == "hostname")
        {
            // RFC 1123: at most 253 characters in all.
            return found.Intersect(CodePointDfa.OfLength(1, 253), budget, where);
        }

        return found;
    }
}
