using System.Text.RegularExpressions;
using Puna.Tests.Shared;

namespace Puna.Cli.Tests;

/// <summary>Links of the documents point at what exists: files, headings, and where a link names code, at code of that name.</summary>
public sealed partial class DocsTests
{
    public static TheoryData<string> Documents =>
        [.. Directory.EnumerateFiles(Path.Combine(TestFiles.Root, "docs"), "*.md").Concat(Directory.EnumerateFiles(TestFiles.Root, "*.md"))
            .Select(static f => Path.GetRelativePath(TestFiles.Root, f).Replace('\\', '/')).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Documents))]
    public void RelativeLinksPointAtWhatExists(string document)
    {
        string path = Path.Combine(TestFiles.Root, document);
        foreach (Match link in Link().Matches(Prose(path)))
        {
            string target = link.Groups["target"].Value;
            if (target.Contains("://", StringComparison.Ordinal) || target.StartsWith("mailto:", StringComparison.Ordinal))
            {
                continue;
            }

            string[] parts = target.Split('#', 2);
            string file = parts[0].Length == 0 ? path : Path.GetFullPath(Path.Combine(Path.GetDirectoryName(path)!, parts[0]));
            Assert.True(Path.Exists(file), $"{document}: {target} does not exist");
            Assert.StartsWith(TestFiles.Root, file, StringComparison.Ordinal);
            if (parts.Length == 2)
            {
                Assert.True(Headings(file).Contains(parts[1]), $"{document}: {target} is no heading");
            }
        }
    }

    /// <summary>The table of the family names bricks, presets and tests: a type or member by its name, a preset by its quoted name, a test by class and method.</summary>
    [Theory]
    [MemberData(nameof(Documents))]
    public void NamedCodeIsInTheFileOfItsLink(string document)
    {
        string path = Path.Combine(TestFiles.Root, document);
        int named = 0;
        foreach (Match link in Link().Matches(Prose(path)))
        {
            Match code = Code().Match(link.Groups["text"].Value);
            string target = link.Groups["target"].Value;
            if (!code.Success || !target.EndsWith(".cs", StringComparison.Ordinal))
            {
                continue;
            }

            named++;
            string source = File.ReadAllText(Path.GetFullPath(Path.Combine(Path.GetDirectoryName(path)!, target)));
            string name = code.Groups["name"].Value;
            string[] members = name.Split('.');
            string pattern = name.Contains('-', StringComparison.Ordinal) ? $"\"{Regex.Escape(name)}\""
                : members.Length == 1 ? $@"\b(class|record|struct|enum|interface|bool|float|double|int|long)>?\??\s+{name}\b"
                : $@"\bclass {members[0]}\b[\s\S]*\bpublic (async )?(void|Task) {members[1]}\(";
            Assert.True(Regex.IsMatch(source, pattern), $"{document}: {target} has no {name}");
        }

        Assert.True(named > 0 || !document.EndsWith("lineage.md", StringComparison.Ordinal), "lineage.md names no code");
    }

    /// <summary>The text without fenced blocks, in which brackets are code.</summary>
    private static string Prose(string path) => Fence().Replace(File.ReadAllText(path).Replace("\r\n", "\n", StringComparison.Ordinal), "");

    /// <summary>Anchors of a document as GitHub makes them: small letters, hyphens for spaces, no punctuation, a number behind those that come again.</summary>
    private static HashSet<string> Headings(string path)
    {
        var anchors = new HashSet<string>(StringComparer.Ordinal);
        foreach (Match heading in Heading().Matches(Prose(path)))
        {
            string plain = NoAnchor().Replace(heading.Groups["text"].Value.Trim().ToLowerInvariant(), "").Replace(' ', '-');
            string anchor = plain;
            for (int i = 1; !anchors.Add(anchor); i++)
            {
                anchor = $"{plain}-{i}";
            }
        }

        return anchors;
    }

    [GeneratedRegex(@"\[(?<text>[^\]\n]*)\]\((?<target>[^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"^`(?<name>[\w.-]+)`$")]
    private static partial Regex Code();

    [GeneratedRegex(@"^ *(```|~~~)[\s\S]*?^ *\1.*$", RegexOptions.Multiline)]
    private static partial Regex Fence();

    [GeneratedRegex(@"^#{1,6} +(?<text>.+)$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex(@"[^\w\- ]")]
    private static partial Regex NoAnchor();
}
