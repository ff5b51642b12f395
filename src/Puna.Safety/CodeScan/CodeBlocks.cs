using System.Text;

namespace Puna.Safety.CodeScan;

/// <summary>Takes the fenced code blocks out of a Markdown text: three or more backticks or tildes, closed by as many at least, or by the end of the text. Fences may be indented, and stand in lists and quotes.</summary>
public static class CodeBlocks
{
    private const int ShortestFence = 3;

    /// <summary>The blocks, in order.</summary>
    public static IReadOnlyList<CodeBlock> Extract(string markdown)
    {
        var blocks = new List<CodeBlock>();
        StringBuilder? code = null;
        string tag = "";
        char mark = '`';
        int fence = 0, first = 0, number = 0;
        foreach (ReadOnlySpan<char> raw in markdown.AsSpan().EnumerateLines())
        {
            number++;
            ReadOnlySpan<char> line = raw.TrimStart([' ', '\t', '>']);
            int length = line.Length > 0 && line[0] is '`' or '~' ? line.IndexOfAnyExcept(line[0]) is >= 0 and int run ? run : line.Length : 0;
            if (code is null)
            {
                // A line of code between backticks is no fence.
                ReadOnlySpan<char> info = line[length..];
                if (length >= ShortestFence && (line[0] == '~' || !info.Contains('`')))
                {
                    (code, mark, fence, first) = (new StringBuilder(), line[0], length, number + 1);
                    info = info.Trim();
                    int end = info.IndexOfAny(" \t,{:");
                    tag = (end < 0 ? info : info[..end]).ToString();
                    tag = tag.Length == 0 && info.StartsWith("{.") ? info[2..].TrimEnd('}').ToString() : tag;
                }
            }
            else if (length >= fence && line[0] == mark && line[length..].IsWhiteSpace())
            {
                blocks.Add(new CodeBlock(tag, code.ToString(), first));
                code = null;
            }
            else
            {
                code.Append(raw).Append('\n');
            }
        }

        if (code is not null)
        {
            blocks.Add(new CodeBlock(tag, code.ToString(), first));
        }

        return blocks;
    }
}
